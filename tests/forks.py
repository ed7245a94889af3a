"""Programs in processes of their own that have imported modules already, which takes longer than
what tests want of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TEMPLATE = """
import importlib, json, os, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
for line in sys.stdin:
    folder, program, *arguments = json.loads(line)
    if not (child := os.fork()):
        os.chdir(folder)
        os.dup2(2, 1)
        sys.argv = ["-c", *arguments]
        exec(program, {"__name__": "__main__"})
        break
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Forks:
    """Starts one program after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @classmethod
    @contextmanager
    def of(cls, *modules: str) -> Iterator[Forks]:
        """Of a process with these modules."""
        command = [sys.executable, "-W", "ignore", "-c", TEMPLATE, *modules]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield cls(process)
            assert process.stdin
            process.stdin.close()

    def start(self, program: str, *arguments: str) -> int:
        """The id of the process of a program, in the current folder."""
        assert self._process.stdin
        order = json.dumps([os.getcwd(), program, *arguments])
        print(order, file=self._process.stdin, flush=True)
        return self._number()

    def wait(self) -> int:
        """The exit code of the program that was started last."""
        return self._number()

    def _number(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())
