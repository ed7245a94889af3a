"""Objectives in modules that come with the job, on executors that have no sparktune."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

OBJECTIVE = """
import importlib.util
from depot import weight

def objective(x):
    known = importlib.util.find_spec("sparktune") is not None
    return {"loss": weight(x), "status": "ok", "known": known, "where": __file__}
"""
CLASSIC = "session = sparktune.local_session()"
CONNECT = """
session = SparkSession.builder.remote({url!r}).getOrCreate()
session.addArtifacts("depot.zip", "plant.py", pyfile=True)
sys.path += [".", "depot.zip"]
"""
PROGRAM = """
import os, sys
import sparktune
from pyspark.sql import SparkSession
from sparktune import SparkTrials, fmin, hp
{start}
from plant import objective

trials = SparkTrials(2)
fmin(objective, hp.uniform("x", 0, 1), max_evals=4, trials=trials, verbose=False)
print(len(trials), {{result["known"] for result in trials.results}},
      any(os.path.dirname(result["where"]) in (".", os.getcwd()) for result in trials.results))
session.stop()
"""


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter like this one, without sparktune."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder)
    [packages] = folder.glob("lib/python*/site-packages")
    found = [folder for folder in map(Path, sys.path) if folder.name.endswith("-packages")]
    for path in (path for folder in found for path in folder.iterdir()):
        if "sparktune" not in path.name and not (packages / path.name).exists():
            (packages / path.name).symlink_to(path)
    return folder / "bin" / "python"


@pytest.mark.parametrize("start", [CLASSIC, CONNECT], ids=["--py-files", "addArtifacts"])
def test_the_modules_of_an_objective_come_with_the_job(
    start: str,
    standalone: Any,
    bare_python: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    import pyspark

    (tmp_path / "plant.py").write_text(OBJECTIVE)
    with zipfile.ZipFile(tmp_path / "depot.zip", "w") as file:
        file.writestr("depot/__init__.py", "def weight(x):\n    return 2 * x\n")
    monkeypatch.setenv("PYSPARK_PYTHON", str(bare_python))
    monkeypatch.setenv("PYSPARK_DRIVER_PYTHON", sys.executable)
    one_executor = f"{os.environ['SPARK_SUBMIT_OPTS']} -Dspark.cores.max=1"
    monkeypatch.setenv("SPARK_SUBMIT_OPTS", one_executor)
    with ExitStack() as running:
        url, command = "", [sys.executable]
        if start == CONNECT:
            start_server = request.getfixturevalue("start_server")
            url, _ = running.enter_context(start_server(standalone.address))
        else:
            submit = os.path.join(pyspark.__path__[0], "bin", "spark-submit")
            local = ("--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.ui.enabled=false")
            command = [submit, "--master", standalone.address, *local]
            command += ["--py-files", "plant.py,depot.zip"]
        program = tmp_path / "program" / "program.py"
        program.parent.mkdir()
        program.write_text(PROGRAM.format(start=start.format(url=url)))
        result = subprocess.run(
            [*command, str(program)], capture_output=True, text=True, timeout=300, cwd=tmp_path
        )
    assert result.stdout.splitlines() == ["4 {False} False"], result.stderr
