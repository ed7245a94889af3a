"""States that evaluations hand on to the next ones of their configurations."""

from __future__ import annotations

import logging
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune import ASHA, Parts, Serial, Study, Threads, Trials, fmin, hp, tune
from sparktune.budgets.keeping import Keeping
from sparktune.budgets.retention import superfluous
from sparktune.errors import InvalidArgument
from sparktune.executors import _budget
from sparktune.executors.platforms import Platform
from sparktune.history import View
from sparktune.trial import Outcome, State, Status, Trial

SPACE = {"x": hp.uniform("x", -1, 1)}
LADDER = ASHA(1, 9, audit=0)


def epochs(config: dict[str, float], budget: int, state: Any = None) -> dict[str, Any]:
    """Tells where it began."""
    done, weights = state or (0, None)
    assert done < budget
    return {
        "loss": config["x"] ** 2 + 1 / budget,
        "status": "ok",
        "began": done,
        "state": (budget, np.full(1000, config["x"]) if weights is None else weights),
        "same": weights is None or bool(weights[0] == config["x"]),
    }


def run(objective: Any = epochs, n: int = 12, **more: Any) -> Study:
    given: dict[str, Any] = {"scheduler": LADDER, "seed": 1, "progress": False} | more
    return tune(objective, SPACE, max_trials=n, **given)


def assert_handed_on(study: Study) -> None:
    for trial in study.trials.values():
        assert trial.result is not None, trial.failure
        before = 0 if trial.parent is None else study.trials[trial.parent].budget
        assert trial.result["began"] == before
        assert trial.result["same"]
        assert "state" not in trial.result


def began_anew(study: Study) -> bool:
    """Whether a promoted trial got no state."""
    promoted = [trial for trial in study.trials.values() if trial.parent is not None]
    return any(trial.result is not None and not trial.result["began"] for trial in promoted)


@pytest.mark.parametrize("on", [Serial(), Threads(3)], ids=["serial", "threads"])
@pytest.mark.parametrize("way", ["travel", "journal", "folder", "url"])
def test_states_are_handed_on(on: Platform, way: str, tmp_path: Path) -> None:
    more: dict[str, Any] = {}
    if way == "journal":
        more["journal"] = tmp_path / "study.jsonl"
    elif way == "folder":
        more["checkpoints"] = tmp_path
    elif way == "url":
        pytest.importorskip("fsspec")
        more["checkpoints"] = f"memory://{tmp_path.name}-{type(on).__name__}"
    study = run(on=on, **more)
    assert_handed_on(study)
    assert Counter(trial.budget for trial in study.trials.values()) == {1: 12, 3: 4, 9: 1}
    assert study.history.spent.sum() == 12 + 4 * 2 + 6
    best = study.best
    assert best is not None
    assert best.state is not None
    assert best.state.shared is (way in ("folder", "url"))


def test_states_that_travel_are_removed_with_the_study() -> None:
    from sparktune.budgets.states import _folders

    study = run()
    folder = _folders[study]
    assert os.listdir(os.path.join(folder, "states.blobs"))
    del study
    import gc

    gc.collect()
    assert not os.path.exists(folder)


def test_a_run_that_was_cut_off_continues_from_its_states(tmp_path: Path) -> None:
    journal = tmp_path / "study.jsonl"

    def fails(config: dict[str, float], budget: int, state: Any = None) -> dict[str, Any]:
        if budget > 3:
            raise ZeroDivisionError
        return epochs(config, budget, state)

    with pytest.raises(ZeroDivisionError):
        run(fails, journal=journal, errors="raise")
    study = run(journal=journal, n=20)
    ended = [trial for trial in study.trials.values() if trial.status is Status.OK]
    assert len(ended) > 20
    for trial in ended:
        assert trial.result is not None
        assert trial.result["began"] == (
            0 if trial.parent is None else study.trials[trial.parent].budget
        )


@pytest.mark.parametrize("shared", [False, True])
def test_a_state_that_is_lost_is_no_error(
    shared: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def forgets(config: dict[str, float], budget: int, state: Any = None) -> dict[str, Any]:
        for path in [*tmp_path.glob("*.blobs/*"), *tmp_path.glob("folder/*/*")]:
            path.unlink()
        return epochs(config, budget, state)

    study = run(
        forgets,
        journal=tmp_path / "study.jsonl",
        checkpoints=tmp_path / "folder" if shared else None,
    )
    assert Counter(trial.budget for trial in study.trials.values()) == {1: 12, 3: 4, 9: 1}
    assert {trial.status for trial in study.trials.values()} == {Status.OK}
    assert began_anew(study)
    for trial in study.trials.values():
        assert trial.result is not None
        assert trial.anew is (trial.parent is not None and not trial.result["began"])
        spent = trial.budget - trial.result["began"]
        assert study.history.spent[study.row(trial.id)] == spent
    journal = Study.load(tmp_path / "study.jsonl", SPACE, scheduler=LADDER)
    assert journal.history.spent.tolist() == study.history.spent.tolist()
    if not shared:
        warned = [each for each in caplog.records if each.levelno >= logging.WARNING]
        assert ["starts over" in each.getMessage() for each in warned] == [True]


def test_a_state_that_was_changed_is_not_used(tmp_path: Path) -> None:
    def spoils(config: dict[str, float], budget: int, state: Any = None) -> dict[str, Any]:
        for path in tmp_path.glob("*.blobs/*"):
            path.write_bytes(b"nothing that can be unpickled")
        return epochs(config, budget, state)

    study = run(spoils, journal=tmp_path / "study.jsonl")
    assert {trial.status for trial in study.trials.values()} == {Status.OK}
    assert began_anew(study)


def test_where_workers_cannot_write_states_travel(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "file"
    file.touch()
    study = run(checkpoints=file / "below")
    assert_handed_on(study)
    assert not any(trial.state and trial.state.shared for trial in study.trials.values())
    (warned,) = [each.message for each in caplog.records if each.levelno >= logging.WARNING]
    assert f"could not be written to {file}/below" in warned


def test_what_was_written_and_never_reported_is_removed(tmp_path: Path) -> None:
    study = run(checkpoints=tmp_path)
    [folder] = tmp_path.iterdir()
    (folder / "0-1-orphan").write_bytes(b"of an attempt that was lost")
    again = run(checkpoints=tmp_path, study=study, n=15, scheduler=None, seed=None)
    kept = {trial.state.name for trial in again.trials.values() if trial.state}
    assert {path.name for path in folder.iterdir()} <= kept


def test_what_travelled_and_never_counted_is_removed(tmp_path: Path) -> None:
    journal = tmp_path / "study.jsonl"

    def cut_off(outcome: Outcome) -> Outcome:
        return Outcome(outcome.trial_id, Status.CANCELLED) if outcome.trial_id == 3 else outcome

    class Losing:
        parallelism = 1

        def open(self, task: Any) -> Any:
            return Keeping(Serial().open(task), cut_off)

    study = run(journal=journal, on=Losing())
    assert study.trials[3].status is Status.CANCELLED
    kept = {trial.state.name for trial in study.trials.values() if trial.state}
    there = {path.name for path in tmp_path.glob("*.blobs/*")}
    assert there
    assert there <= kept


def test_states_that_are_not_needed_any_more_are_removed(tmp_path: Path) -> None:
    study = run(checkpoints=tmp_path, n=40)
    promoted = {trial.parent for trial in study.trials.values()}
    [folder] = tmp_path.iterdir()
    there = {path.name for path in folder.iterdir()}
    for trial in study.trials.values():
        assert trial.state is not None
        assert trial.id not in promoted or trial.state.name not in there
    assert 0 < len(there) < 40
    assert study.best is not None
    assert study.best.state is not None
    assert study.best.state.name in there


@pytest.mark.parametrize("deterministic", [False, True])
def test_the_states_of_finalists_stay(deterministic: bool) -> None:
    study = run(n=20, scheduler=ASHA(1, 9, audit=0, finalists=20), deterministic=deterministic)
    assert Counter(trial.budget for trial in study.trials.values()) == {1: 20, 3: 20, 9: 20}
    assert_handed_on(study)


def test_states_in_a_folder_that_is_no_longer_named_are_missed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = tmp_path / "study.jsonl"
    run(journal=journal, checkpoints=tmp_path / "folder")
    study = run(journal=journal, n=18)
    assert began_anew(study)
    [warning] = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert "set checkpoints= to that folder" in warning.getMessage()


def test_the_worst_go_where_there_is_no_room() -> None:
    trials = [Trial(i, {"x": 0.0}, Status.OK, 1.0, float(i)) for i in range(6)]
    trials.append(Trial(6, {"x": 0.0}, Status.RUNNING, 3.0, parent=5))
    history = View.of(trials, np.zeros((7, 1)))
    sizes = dict.fromkeys(range(6), 10)
    assert superfluous(history, sizes, (1, 3), 1000) == []
    assert superfluous(history, sizes, (1, 3), 40) == [4, 3]
    assert superfluous(history, sizes, (1, 3), 0) == [4, 3, 2, 1, 0]
    many = [Trial(i, {"x": 0.0}, Status.OK, 1.0, float(i)) for i in range(30)]
    history = View.of(many, np.zeros((30, 1)))
    assert superfluous(history, dict.fromkeys(range(30), 1), (1, 3), 1000) == [*range(22, 30)]


def test_what_cannot_be_pickled_is_an_error_of_the_trial() -> None:
    def unpicklable(config: dict[str, float], budget: int, state: Any = None) -> dict[str, Any]:
        return epochs(config, budget) | {"state": (i for i in range(3))}

    study = run(unpicklable, n=2)
    assert {trial.status for trial in study.trials.values()} == {Status.ERROR}
    failure = study.trials[0].failure
    assert failure is not None
    assert "the state cannot be pickled" in failure.message


def test_what_is_too_large_to_travel_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(_budget, "LARGEST_STATE", 5000)
    study = run(n=3)
    assert {trial.status for trial in study.trials.values()} == {Status.OK}
    assert began_anew(study)
    assert study.history.spent.sum() == 3 + 3 + 9
    warned = [each.message for each in caplog.records if each.levelno >= logging.WARNING]
    assert [each for each in warned if "set checkpoints= to a folder or a URL" in each] == warned
    assert len(warned) == 1
    assert_handed_on(run(n=3, checkpoints=tmp_path))


def test_an_objective_that_returns_a_number_tells_that_it_began_anew() -> None:
    lost = _budget.with_budget(lambda config, budget, state: budget / 2, True, ({}, 3, b"", None))
    assert lost == {"loss": 1.5, "status": "ok", "sparktune:anew": True}
    first = _budget.with_budget(lambda config, budget, state: budget / 2, True, ({}, 3, None, None))
    assert first == 1.5


def test_failed_trials_leave_no_state() -> None:
    def fails(config: dict[str, float], budget: int, state: Any = None) -> dict[str, Any]:
        return {"status": "fail", "state": 3}

    study = run(fails, n=2)
    assert [trial.state for trial in study.trials.values()] == [None, None]
    assert {trial.status for trial in study.trials.values()} == {Status.FAIL}


def test_objectives_that_take_no_state_keep_what_they_return() -> None:
    def plain(config: dict[str, float], budget: int) -> dict[str, Any]:
        return {"loss": config["x"], "status": "ok", "state": "California"}

    study = run(plain, n=3)
    assert study.trials[0].result is not None
    assert study.trials[0].result["state"] == "California"
    assert study.trials[0].state is None
    full = tune(
        lambda config: {"loss": config["x"], "status": "ok", "state": "Ohio"},
        SPACE,
        max_trials=1,
        progress=False,
    )
    assert full.trials[0].result is not None
    assert full.trials[0].result["state"] == "Ohio"


def test_parts_get_the_budget() -> None:
    def part_of(config: dict[str, float], budget: int, part: int) -> float:
        return config["x"] / budget + part

    study = run(part_of, n=4, on=Parts(Threads(2), 2))
    assert Counter(trial.budget for trial in study.trials.values()) == {1: 4, 3: 1, 9: 1}


def test_fmin_hands_states_on(tmp_path: Path) -> None:
    trials = Trials()
    fmin(
        epochs,
        SPACE,
        max_evals=6,
        trials=trials,
        scheduler=LADDER,
        checkpoints=tmp_path,
        seed=1,
        show_progressbar=False,
    )
    assert trials.best_trial["result"]["began"] == 3
    assert os.listdir(tmp_path)


@pytest.mark.parametrize("given", ["relative/folder", 3, ""])
def test_wrong_folders_are_refused(given: Any) -> None:
    with pytest.raises(InvalidArgument, match="checkpoints must be the absolute path"):
        run(checkpoints=given)


def test_states_of_records_and_journals(tmp_path: Path) -> None:
    trial = Trial(1, {"x": 0.5}, Status.OK, 3.0, 0.5, state=State("state-1-ab", 10))
    assert trial.told(trial.outcome()) == trial
    assert trial.handed_out.state is None
    study = run(journal=tmp_path / "study.jsonl")
    loaded = Study.load(tmp_path / "study.jsonl", SPACE, scheduler=LADDER)
    assert [t.state for t in loaded.trials.values()] == [t.state for t in study.trials.values()]
    assert loaded.history.spent.tolist() == study.history.spent.tolist()
