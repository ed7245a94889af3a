"""The README's line for programs of Hyperopt rewrites whatever imports it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
NEW = "sparktune.hyperopt"
FORMS = {
    "import hyperopt": f"import {NEW} as hyperopt",
    "import hyperopt ": f"import {NEW} as hyperopt ",
    "import  hyperopt": f"import  {NEW} as hyperopt",
    "import hyperopt\r": f"import {NEW} as hyperopt\r",
    "import hyperopt  # tuning": f"import {NEW} as hyperopt  # tuning",
    "import hyperopt # from hyperopt": f"import {NEW} as hyperopt # from hyperopt",
    "\timport hyperopt": f"\timport {NEW} as hyperopt",
    "    import hyperopt": f"    import {NEW} as hyperopt",
    "import numpy, hyperopt": f"import numpy, {NEW} as hyperopt",
    "import hyperopt, os": f"import {NEW} as hyperopt, os",
    "import os,hyperopt,sys": f"import os,{NEW} as hyperopt,sys",
    "import os, hyperopt as h, sys": f"import os, {NEW} as h, sys",
    "import hyperopt as h": f"import {NEW} as h",
    "import hyperopt as h  # tuning": f"import {NEW} as h  # tuning",
    "import hyperopt as h\r": f"import {NEW} as h\r",
    "import hyperopt.pyll as p, hyperopt as h": f"import {NEW}.pyll as p, {NEW} as h",
    "import hyperopt.pyll": f"import {NEW} as hyperopt, {NEW}.pyll",
    "import hyperopt.pyll.stochastic\r": f"import {NEW} as hyperopt, {NEW}.pyll.stochastic\r",
    "import hyperopt.pyll.stochastic as st": f"import {NEW}.pyll.stochastic as st",
    "import os, hyperopt.tpe # t": f"import os, {NEW} as hyperopt, {NEW}.tpe # t",
    "try: import hyperopt": f"try: import {NEW} as hyperopt",
    "try: from hyperopt import hp": f"try: from {NEW} import hp",
    "import os; import hyperopt": f"import os; import {NEW} as hyperopt",
    "import hyperopt; from hyperopt import hp": f"import {NEW} as hyperopt; from {NEW} import hp",
    "import hyperopt;hyperopt.fmin": f"import {NEW} as hyperopt;hyperopt.fmin",
    "from hyperopt import hp": f"from {NEW} import hp",
    "from hyperopt import (": f"from {NEW} import (",
    "from  hyperopt  import hp  # hp": f"from  {NEW}  import hp  # hp",
    "\tfrom hyperopt import hp\r": f"\tfrom {NEW} import hp\r",
    "from hyperopt.pyll import scope": f"from {NEW}.pyll import scope",
    "from hyperopt.pyll.base import scope ": f"from {NEW}.pyll.base import scope ",
    '    "import hyperopt\\n",': f'    "import {NEW} as hyperopt\\n",',
    '    "from hyperopt import hp\\n",': f'    "from {NEW} import hp\\n",',
}
OTHERS = [
    "import hyperopt_extras",
    "from hyperopt_extras import hyperopt",
    "import hyperoptsklearn, my.hyperopt",
    "from .hyperopt import hp",
    "hyperopt.fmin(f, hyperopt.hp.uniform('x', 0, 1))",
    "f(a, hyperopt)",
    f"import {NEW} as hyperopt, {NEW}.pyll",
    f"from {NEW} import hp",
]
PROGRAM = """
import json, hyperopt.pyll.stochastic, hyperopt.early_stop as stop  # three
try: from hyperopt import hp, tpe
except ImportError: raise
from hyperopt.pyll import scope; import hyperopt\r
space = {"x": hp.uniform("x", 0, 1), "n": scope.int(hp.quniform("n", 1, 5, 1))}
hyperopt.pyll.stochastic.sample(space)
rule = stop.no_progress_loss(5)
hyperopt.fmin(lambda c: c["x"], space, tpe.suggest, 5, early_stop_fn=rule, verbose=False)
print("hyperopt" not in __import__("sys").modules and hyperopt.__name__)
"""


def rewritten(folder: Path, text: str) -> str:
    (line,) = [line for line in README.read_text().splitlines() if line.startswith("sed ")]
    path = folder / "program.py"
    path.write_bytes(text.encode())
    subprocess.run([*shlex.split(line)[:-1], str(path)], check=True)
    return path.read_bytes().decode()


def test_every_form_of_an_import_is_rewritten(tmp_path: Path) -> None:
    lines = rewritten(tmp_path, "\n".join([*FORMS, *OTHERS])).split("\n")
    assert dict(zip(FORMS, lines, strict=False)) == FORMS
    assert lines[len(FORMS) :] == OTHERS


def test_twice_is_as_good_as_once(tmp_path: Path) -> None:
    once = rewritten(tmp_path, "\n".join(FORMS))
    assert rewritten(tmp_path, once) == once


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_rewritten_program_runs(tmp_path: Path, ending: str) -> None:
    program = rewritten(tmp_path, PROGRAM.replace("\r", "").replace("\n", ending))
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == NEW, ran.stderr
