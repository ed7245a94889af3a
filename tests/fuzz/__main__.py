"""`python -m tests.fuzz READER`: hostile inputs for one reader, see `tests.fuzz`."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.oracle import Broke

READERS = ("journal", "study", "pickle")
"""Modules of this folder. Each has `Fuzzer(folder)`, called with a `random.Random` for each input;
returns a word for what became of it, or raises `Broke`.
"""


def fuzz(reader: str, inputs: range, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """What became of the inputs, by word, and how those broke that did."""
    fuzzer = importlib.import_module(f"tests.fuzz.{reader}").Fuzzer(folder)
    words: Counter[str] = Counter()
    broken: list[str] = []
    for number in inputs:
        word, why = _one(fuzzer, random.Random(f"{seed} {number}"))
        words[word] += 1
        if why:
            broken.append(f"input {number} of seed {seed}: {why}")
    return words, broken


def _one(fuzzer: Callable[[random.Random], str], rng: random.Random) -> tuple[str, str]:
    try:
        return fuzzer(rng), ""
    except Broke as error:
        return "BROKE", str(error)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one input")
    given = parser.parse_args()
    logging.getLogger("sparktune").setLevel(logging.CRITICAL)
    warnings.simplefilter("error")
    os.fsync = lambda fd: None  # the disk is not what is tested
    numbers = range(given.inputs) if given.only is None else range(given.only, given.only + 1)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        words, broken = fuzz(given.reader, numbers, given.seed, Path(folder))
    for each in broken[:20]:
        print(each, "\n")
    counts = ", ".join(f"{count} {word}" for word, count in words.most_common())
    print(f"{given.reader}: {len(numbers)} inputs in {time.monotonic() - begun:.0f} s: {counts}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
