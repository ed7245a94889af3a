"""The README's program runs, and its commands are the ones that are used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("spark")
def test_the_program_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    program, printed = re.findall(r"```(?:python|text)\n(.*?)```", README, re.DOTALL)[:2]
    exec(program, {"__name__": "__main__"})
    digits = re.compile(r"\d\.\d+")
    _bar, line, expected = printed.split("\n", maxsplit=2)  # the first two are on stderr
    shown = capsys.readouterr()
    assert digits.sub("#", shown.out) == digits.sub("#", expected)
    number = re.compile(r"[\d.]+")
    assert number.sub("#", line) in number.sub("#", shown.err)


def test_continuous_integration_runs_the_command_for_tests() -> None:
    [command] = re.findall(r"Run the tests:\n\n```sh\n(.*)\n```", README)
    assert (REPOSITORY / ".ci" / "run").read_text().splitlines()[-1] == command


@pytest.mark.spark  # the study file has settings of Spark
def test_the_study_and_the_commands_work(tmp_path: Path) -> None:
    [study] = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    [commands] = re.findall(r"```sh\n(sparktune run .*?)```", README, re.DOTALL)
    (tmp_path / "study.toml").write_text(study, encoding="utf-8")
    shutil.copy(REPOSITORY / "conf" / "random_forest.py", tmp_path)
    here = "--set executor=serial --set budget.max_evals=4"
    for command in commands.splitlines():
        command = command.replace("sparktune", f"{sys.executable} -m sparktune", 1)
        command = f"{command} {here}" if " run " in command else command
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        subprocess.run(command, shell=True, cwd=tmp_path, check=True, timeout=300, env=environment)
    assert (tmp_path / "trials.csv").read_text().startswith("id,status,loss,criterion,")
    assert (tmp_path / "pictures" / "history.png").exists()


OLD_PROGRAM = """
import hyperopt
import hyperopt as ho
import hyperopt.pyll.stochastic
import hyperopt.pyll_utils as utils
from hyperopt import fmin, hp, tpe, STATUS_OK, Trials
from hyperopt.early_stop import no_progress_loss
from hyperopt.fmin import generate_trials_to_calculate
from hyperopt.pyll import scope


def main():
    from hyperopt.pyll.base import as_apply
    import hyperopt.rand

    hyperopt_rand = hyperopt.rand.suggest
    space = {"n": scope.int(hp.quniform("n", 1, 9, 1)), "x": as_apply(hp.normal("x", 0, 1))}
    trials = Trials()
    fmin(lambda p: {"loss": p["x"] ** 2 + p["n"], "status": STATUS_OK}, space, tpe.suggest, 25,
         trials=trials, early_stop_fn=no_progress_loss(20), verbose=False)
    print(sorted(ho.space_eval(space, trials.argmin)), hyperopt.pyll.stochastic.sample(1))


main()
"""


def test_the_line_that_moves_a_program_over(tmp_path: Path) -> None:
    program = tmp_path / "old.py"
    program.write_text(OLD_PROGRAM, encoding="utf-8")
    [command] = re.findall(r"```sh\n(sed .*)\n```", README)
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    alone = f"import sys; sys.modules['hyperopt'] = None; exec(open({str(program)!r}).read())"
    ran = subprocess.run(
        [sys.executable, "-c", alone], capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.stdout == "['n', 'x'] 1\n", ran.stderr
