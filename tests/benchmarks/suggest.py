"""What a suggestion costs: sparktune's samplers against TPE of hyperopt and Optuna.

    python -m tests.benchmarks.suggest [--trials 100 1000 10000] [--dimensions 10 50] [--repeats 7]

Needs the group `bench`. Every study starts with N finished trials at random points.
Then it is asked for one suggestion and told its loss, again and again; and sparktune for 32 at once
too, where the others, which make one at a time, are given the time of a single one. Timed is the
asking alone, in CPU milliseconds of the process (all its threads) for each suggestion: the median
over the repeats, the first of which is not counted. The contenders take turns within a cell. `x` is
the contender's time as a multiple of that of sparktune's TPE.

    continuous   half of the parameters uniform, half loguniform
    mixed        of five parameters two are real, one is an ordered integer and one a choice, under
                 one option of which the fifth, a real one, is active

Memory is what N = 100,000 trials occupy in a study of ten parameters, by Python's own count.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
import tracemalloc
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from math import exp
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from sparktune.samplers import Sampler, auto, gp, tpe
from sparktune.schedulers import FullBudget
from sparktune.space import hp
from sparktune.space.space import Space
from sparktune.study import Study
from sparktune.trial import Outcome, Status, Trial
from tests.benchmarks.params import Choice, Params, Real, Whole, expression, suggest
from tests.benchmarks.quality import versions

BATCH = 32
OURS = "sparktune TPE"

Ask = Callable[[int], list[int]]
Tell = Callable[[int, float], None]


class _Package:
    """What `expression` needs of sparktune."""

    hp = hp


def continuous(d: int) -> Params:
    """d real numbers, every other one on a logarithmic scale."""
    return tuple(
        Real(f"x{i}", exp(-5), exp(5), log=True) if i % 2 else Real(f"x{i}", -5, 5)
        for i in range(d)
    )


def mixed(d: int) -> Params:
    """Groups of five parameters of every kind, one of them conditional."""
    groups: list[Any] = []
    for i in range(0, d, 5):
        groups += [
            Real(f"u{i}", -5, 5),
            Real(f"l{i}", exp(-5), exp(5), log=True),
            Whole(f"n{i}", 1, 30),
            Choice(f"c{i}", 4, {1: (Real(f"r{i}", 0, 1),)}),
        ]
    return tuple(groups)


SPACES = {"continuous": continuous, "mixed": mixed}


def sparktune_study(
    params: Params,
    rows: Sequence[dict[str, float]],
    losses: Any,
    sampler: Sampler = tpe.suggest,
) -> Any:
    """(ask, tell) of a study of ours with these trials."""
    space = Space(expression(params, _Package))
    records = {
        i: Trial(i, values, Status.OK, loss=float(loss), asked=float(i), finished=float(i))
        for i, (values, loss) in enumerate(zip(rows, losses, strict=True))
    }
    study = Study(space, sampler, FullBudget(None), 0, records)

    def ask(n: int) -> list[int]:
        return [trial.id for trial in study.ask(n)]

    return ask, lambda id, loss: study.tell(id, Outcome(id, Status.OK, loss))


def hyperopt_study(params: Params, rows: Sequence[dict[str, float]], losses: Any) -> Any:
    """(ask, tell) of hyperopt's TPE with these trials."""
    import hyperopt

    domain = hyperopt.base.Domain(lambda config: 0.0, expression(params, hyperopt))
    trials, rng = hyperopt.Trials(), np.random.default_rng(0)
    labels = list(domain.params)

    def document(i: int, values: dict[str, float], loss: float) -> dict[str, Any]:
        vals = {label: [values[label]] if label in values else [] for label in labels}
        misc = {"tid": i, "cmd": domain.cmd, "workdir": None, "vals": vals}
        misc["idxs"] = {label: [i] * len(vals[label]) for label in labels}
        [doc] = trials.new_trial_docs([i], [None], [{"status": "ok", "loss": loss}], [misc])
        return doc | {"state": 2}

    ids = trials.new_trial_ids(len(rows))
    triples = zip(ids, rows, losses, strict=True)
    trials.insert_trial_docs([document(i, row, float(loss)) for i, row, loss in triples])
    trials.refresh()

    def ask(n: int) -> list[int]:
        asked = []
        for _ in range(n):
            ids = trials.new_trial_ids(1)
            docs = hyperopt.tpe.suggest(ids, domain, trials, int(rng.integers(2**31 - 1)))
            trials.insert_trial_docs(docs)
            trials.refresh()
            asked += ids
        return asked

    def tell(id: int, loss: float) -> None:
        doc = trials._dynamic_trials[id]
        doc["state"], doc["result"] = 2, {"status": "ok", "loss": loss}

    return ask, tell


def optuna_study(*, multivariate: bool) -> Callable[..., Any]:
    """A function that makes (ask, tell) of Optuna's TPE with these trials."""

    def make(params: Params, rows: Sequence[dict[str, float]], losses: Any) -> Any:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            options = {"group": True} if multivariate else {}
            sampler = optuna.samplers.TPESampler(seed=0, multivariate=multivariate, **options)
        study = optuna.create_study(sampler=sampler)
        known = _optuna_distributions(params, optuna.distributions)
        for values, loss in zip(rows, losses, strict=True):
            study.add_trial(
                optuna.trial.create_trial(
                    params={label: known[label].to_external_repr(x) for label, x in values.items()},
                    distributions={label: known[label] for label in values},
                    value=float(loss),
                )
            )
        asked: list[Any] = [None] * len(rows)

        def ask(n: int) -> list[int]:
            for _ in range(n):
                asked.append(study.ask())
                suggest(params, asked[-1])
            return list(range(len(asked) - n, len(asked)))

        return ask, lambda id, loss: study.tell(asked[id], loss)

    return make


def _optuna_distributions(params: Params, module: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for param in params:
        if isinstance(param, Choice):
            found[param.name] = module.CategoricalDistribution(list(range(param.options)))
            for children in param.children.values():
                found |= _optuna_distributions(children, module)
        elif isinstance(param, Whole):
            found[param.name] = module.IntDistribution(param.low, param.high, log=param.log)
        else:
            found[param.name] = module.FloatDistribution(param.low, param.high, log=param.log)
    return found


CONTENDERS: dict[str, Callable[..., tuple[Ask, Tell]]] = {
    OURS: sparktune_study,
    "sparktune auto": partial(sparktune_study, sampler=auto.suggest),
    "sparktune GP": partial(sparktune_study, sampler=gp.suggest),
    "hyperopt": hyperopt_study,
    "Optuna, multivariate": optuna_study(multivariate=True),
    "Optuna, independent": optuna_study(multivariate=False),
}


def cell(params: Params, n: int, repeats: int, names: Sequence[str]) -> list[dict[str, Any]]:
    """CPU milliseconds per suggestion, single and in a batch, for each contender."""
    rng = np.random.default_rng(n)
    space = Space(expression(params, _Package))
    rows = [space.values(row) for row in space.sample(rng, n)]
    losses = rng.normal(size=n)
    studies = {name: CONTENDERS[name](params, rows, losses) for name in names}
    single: dict[str, list[float]] = {name: [] for name in names}
    batch: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats + 1):
        for name in names:
            single[name].append(timed(*studies[name], 1, rng))
            if name.startswith("sparktune"):
                batch[name].append(timed(*studies[name], BATCH, rng))
    return [
        {
            "sampler": name,
            "single": median(taken[1:]),
            "batch": median((batch[name] or taken)[1:]),
        }
        for name, taken in single.items()
    ]


def timed(ask: Ask, tell: Tell, n: int, rng: np.random.Generator) -> float:
    """CPU milliseconds per suggestion, of n asked for at once."""
    gc.collect()
    started = time.process_time()
    ids = ask(n)
    taken = time.process_time() - started
    for id in ids:
        tell(id, float(rng.normal()))
    return 1000 * taken / n


def memory(n: int = 100_000) -> float:
    """Bytes per trial of a study of ten real numbers."""
    params = continuous(10)
    space = Space(expression(params, _Package))
    tracemalloc.start()
    records = {
        i: Trial(i, space.values(row), Status.OK, loss=0.0, asked=0.0, finished=1.0)
        for i, row in enumerate(space.sample(np.random.default_rng(0), n))
    }
    study = Study(space, tpe.suggest, FullBudget(None), 0, records)
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(study.records)


def table(records: Sequence[dict[str, Any]]) -> str:
    """The results as text, one line for each cell and contender."""
    form = "{:<11} {:>3} {:>6} {:<21} {:>10} {:>7} {:>10} {:>7}"
    lines = [form.format("space", "D", "N", "sampler", "single ms", "x", "of 32 ms", "x")]
    ours: dict[str, Any] = {}
    for each in records:
        ours = each if each["sampler"] == OURS else ours
        cells = [each["space"], each["dimensions"], each["trials"], each["sampler"]]
        for kind in ("single", "batch"):
            cells += [f"{each[kind]:.2f}", f"{each[kind] / ours[kind]:.1f}"]
        lines.append(form.format(*cells))
    return "\n".join(lines)


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--samplers", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--json", type=Path, help="a file for the results")
    options = parser.parse_args()
    records = []
    for kind, make in SPACES.items():
        for d in options.dimensions:
            for n in options.trials:
                place = {"space": kind, "dimensions": d, "trials": n}
                found = cell(make(d), n, options.repeats, options.samplers)
                records += [place | record for record in found]
                print(table(records[-len(found) :]), flush=True)
    bytes_per_trial = memory()
    setting = {"bytes per trial": round(bytes_per_trial), "versions": versions()}
    print(f"\n{table(records)}\n\n{json.dumps(setting)}")
    if options.json:
        options.json.write_text(json.dumps(setting | {"results": records}, indent=1) + "\n")


if __name__ == "__main__":
    main()
