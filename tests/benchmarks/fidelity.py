"""What a budget that grows saves: regret by resource, beside full evaluations and beside peers.

    python -m tests.benchmarks.fidelity [--seeds 20] [--problems easy gbm] [--slots 64]
    python -m tests.benchmarks.fidelity_goals

The first adds the runs that are missing to a store, seed by seed, so that it can be stopped at any
time; the second shows tables and goals. The problems are those of `curves`. Optuna and FLAML
(`flaml[blendsearch]`) are needed for their rows.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks import fidelity_peers, fidelity_runs
from tests.benchmarks.curves import available
from tests.benchmarks.fidelity_peers import PEERS
from tests.benchmarks.fidelity_runs import CONTENDERS, Machine

STORE = Path(__file__).parent / "results" / "fidelity.jsonl"


def main() -> None:
    """Add what is missing to the store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--problems", nargs="*", choices=available(), default=available())
    parser.add_argument("--contenders", nargs="*", choices=[*CONTENDERS, *PEERS], default=None)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--sigma", type=float, default=0.5, help="of the speeds")
    parser.add_argument("--stragglers", type=float, default=0.0, help="share, ten times as slow")
    parser.add_argument("--store", type=Path, default=STORE)
    given = parser.parse_args()
    machine = Machine(given.slots, given.sigma, given.stragglers)
    for seed in range(given.seeds):
        for name in given.problems:
            for contender in given.contenders or CONTENDERS:
                key = {"problem": name, "contender": contender, "seed": seed, **asdict(machine)}
                if any(key.items() <= each.items() for each in stored(given.store)):
                    continue
                one = fidelity_peers.run if contender in PEERS else fidelity_runs.run
                found = asdict(one(name, contender, seed, machine))
                with given.store.open("a") as file:
                    file.write(json.dumps(key | found) + "\n")


def stored(path: Path = STORE) -> list[dict[str, Any]]:
    """The runs that there are."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    main()
