"""Handles on large objects, in this process."""

from __future__ import annotations

import copy
import pickle

import pytest

import sparktune
from sparktune import ThreadTrials, Trials, fmin, hp


@pytest.mark.parametrize("trials", [Trials(), ThreadTrials(2)], ids=lambda t: type(t).__name__)
def test_in_this_process_the_value_is_the_object_itself(trials: Trials) -> None:
    thing = object()
    handle = sparktune.share(thing)

    def objective(config: dict[str, object]) -> float:
        assert handle.value is thing
        assert config["in the space"].value is thing  # type: ignore[attr-defined]
        return 0.0

    space = {"x": hp.uniform("x", 0, 1), "in the space": hp.choice("c", [handle])}
    fmin(objective, space, max_evals=3, trials=trials, show_progressbar=False)
    assert trials.count_successful_trials() == 3


@pytest.mark.parametrize("copied", [lambda h: pickle.loads(pickle.dumps(h)), copy.deepcopy])
def test_copies_hold_copies(copied: object) -> None:
    handle = sparktune.share([1, 2])
    assert copied(handle).value == [1, 2]  # type: ignore[operator]


def test_a_handle_shows_what_it_holds_and_not_all_of_it() -> None:
    assert repr(sparktune.share([0] * 1000)) == "share(<list>)"
