"""Hostile inputs for everything that reads files, made from a seed.

    python -m tests.fuzz journal --inputs 20000     # or study, pickle; --seed, --only INPUT

The suite runs a small part of it (`test_fuzz`). Each reader has a module here with a class
`Fuzzer(folder)`: it is called with a `random.Random` for each input, and what it does with that is
watched by the oracle (`oracle`): a clear `SparktuneError` or the right answer; never another
exception, a hang, memory without bound, a lost earlier line, a call into code.

A reader that breaks is told with the number of the input, which `--only` runs again.
"""
