"""What counts as recommended in a run."""

from __future__ import annotations

import numpy as np

from sparktune.history import View
from sparktune.samplers import random
from sparktune.samplers.standing import recommended
from tests.benchmarks.contenders import own
from tests.benchmarks.problems import DEVELOPMENT
from tests.benchmarks.runs import Setting, luckiest, normalised_regret, play, sure

[NOISY] = [each for each in DEVELOPMENT if each.name == "sphere6_noisy"]
SETTING = Setting(workers=1, evaluations=48)


def test_the_luckiest_is_the_first_with_the_smallest_loss() -> None:
    order = list(play(NOISY, random.suggest, SETTING, 0).values())
    losses = np.array([trial.loss for trial in order], dtype=float)
    assert luckiest(order).tolist() == [int(np.argmin(losses[:n])) for n in range(1, 49)]


def test_what_is_recommended_is_found_after_every_fifth_trial_and_the_last() -> None:
    order = list(play(NOISY, random.suggest, SETTING, 1).values())
    X = np.array([NOISY.space.encode(trial.values) for trial in order])
    known = {n: recommended(NOISY.space, View.of(order[:n], X[:n])) for n in (*range(5, 48, 5), 48)}
    found = sure(NOISY.space, order)
    assert {n: found[n - 1] for n in known} == known
    assert (found[34:39] == known[35]).all()
    assert found[47] == known[48]


def test_a_contender_is_scored_by_what_it_recommends() -> None:
    ours = own("random", random.suggest)
    lucky = own("random, luckiest", random.suggest, luckiest=True)
    instance = NOISY.make(1)
    scale = NOISY.typical(instance) - instance.lowest
    order = list(play(NOISY, random.suggest, SETTING, 1).values())
    true = np.array([instance.true(trial.values) for trial in order])
    for contender, places in ((ours, sure(NOISY.space, order)), (lucky, luckiest(order))):
        regret = normalised_regret(NOISY, contender, SETTING, 1)
        np.testing.assert_allclose(regret, np.clip((true[places] - instance.lowest) / scale, 0, 1))
