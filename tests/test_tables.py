"""Trials as tables."""

from __future__ import annotations

import pickle
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sparktune import AllTrialsFailed, Trials, fmin, hp, scope, space_eval
from sparktune.errors import InvalidArgument
from sparktune.results import summary, table
from sparktune.trial import Status, Trial

SPACE = {
    "x": hp.uniform("x", 0, 1),
    "n": scope.int(hp.quniform("n", 1, 9, 2)),
    "depth": hp.randint("depth", 5),
    "kind": hp.choice("kind", ["<b>", {"name": "rbf", "gamma": hp.normal("gamma", 0, 1)}]),
    "loss": hp.choice("loss", ["l1", "l2"]),
    "only": hp.choice("only", [0, {"k": hp.randint("k", 3)}]),
}


def objective(point: dict[str, Any]) -> float:
    if point["x"] > 0.8:
        raise ValueError("<script>alert(1)</script>\n  is too large")
    return float(point["x"]) if point["x"] > 0.05 else float("nan")


def run(evaluations: int = 30) -> Trials:
    trials = Trials()
    fmin(
        objective,
        SPACE,
        "random",
        evaluations,
        trials=trials,
        seed=1,
        verbose=False,
        catch_eval_exceptions=True,
    )
    return trials


@pytest.fixture(scope="module")
def trials() -> Trials:
    return run()


# to_pandas


def test_a_frame_has_a_row_for_each_trial_and_columns_of_the_right_types(trials: Trials) -> None:
    frame = trials.to_pandas()
    assert len(frame) == len(trials.records) > len(trials)
    types = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    time = "datetime64[ns, UTC]"
    assert types == {
        "id": "int64",
        "status": "object",
        "loss": "float64",
        "depth": "int64",
        "kind": "object",
        "params.loss": "object",
        "n": "float64",
        "only": "object",
        "x": "float64",
        "gamma": "float64",
        "k": "Int64",
        "asked": time,
        "started": time,
        "finished": time,
        "duration": "float64",
        "error": "object",
    }


def test_a_frame_holds_what_the_records_hold(trials: Trials) -> None:
    frame = trials.to_pandas().set_index("id")
    assert frame["loss"].idxmin() == trials.best_trial["tid"]
    for trial in trials.records.values():
        row = frame.loc[trial.id]
        assert row["status"] == trial.status.value
        assert row["loss"] == trial.loss or pd.isna(row["loss"])
        assert row["x"] == trial.values["x"]
        assert row["params.loss"] == ["l1", "l2"][int(trial.values["loss"])]
        assert pd.isna(row["gamma"]) == ("gamma" not in trial.values)
        assert pd.isna(row["k"]) == ("k" not in trial.values)
        assert row["kind"] == ["<b>", "rbf"][int(trial.values["kind"])]
        assert row["started"].timestamp() == pytest.approx(trial.started, abs=1e-5)
        assert row["duration"] >= 0
    errors = frame.loc[frame["status"] == "error", "error"]
    assert set(errors) == {"ValueError: <script>alert(1)</script> is too large"}
    assert frame["error"].isna().sum() == (frame["status"] == "ok").sum()


def test_a_loaded_journal_and_a_pickle_give_the_same_frame(trials: Trials, tmp_path: Path) -> None:
    trials.save(tmp_path / "study.jsonl")
    loaded = Trials.load(tmp_path / "study.jsonl")
    pd.testing.assert_frame_equal(loaded.to_pandas(), trials.to_pandas())
    unpickled = pickle.loads(pickle.dumps(trials))
    pd.testing.assert_frame_equal(unpickled.to_pandas(), trials.to_pandas())


def test_no_trials_give_an_empty_frame() -> None:
    frame = Trials().to_pandas()
    assert len(frame) == 0
    assert list(frame.columns[:3]) == ["id", "status", "loss"]


def test_without_pandas_the_error_names_the_extra() -> None:
    code = "import sys; sys.modules['pandas'] = None; import sparktune\n"
    code += "try: sparktune.Trials().to_pandas()\nexcept ImportError as error: print(error)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == (
        "to_pandas needs pandas; install it with: pip install 'sparktune[pandas]'\n"
    )


# best_params


def test_best_params_are_what_the_objective_received(trials: Trials) -> None:
    best = trials.best_params
    assert best.keys() == trials.argmin.keys()
    received = space_eval(SPACE, trials.argmin)
    for label in ("x", "n", "depth", "kind", "loss", "only"):
        assert best[label] == received[label]
        assert type(best[label]) is type(received[label])


def test_trials_that_do_not_know_their_space_say_what_to_call(tmp_path: Path) -> None:
    trials = run(5)
    trials.save(tmp_path / "study.jsonl")
    for stranger in (pickle.loads(pickle.dumps(trials)), Trials.load(tmp_path / "study.jsonl")):
        with pytest.raises(InvalidArgument, match=r"space_eval\(space, trials\.argmin\)"):
            _ = stranger.best_params


def test_there_are_no_best_params_without_a_loss() -> None:
    with pytest.raises(AllTrialsFailed, match="no trial has a usable loss"):
        _ = Trials().best_params


def test_trials_of_a_space_that_cannot_be_pickled_can() -> None:
    trials, space = Trials(), {"f": hp.choice("f", [lambda x: x, abs]), "x": hp.uniform("x", 0, 1)}
    fmin(lambda p: p["f"](p["x"]), space, "random", 3, trials=trials, verbose=False)
    assert callable(trials.best_params["f"])
    assert len(pickle.loads(pickle.dumps(trials))) == 3


# Summaries


class Texts(HTMLParser):
    """The tags and texts of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_notebooks_show_a_summary_and_the_best_trials_as_safe_html(trials: Trials) -> None:
    html = Texts(trials._repr_html_())
    assert set(html.tags) == {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert html.open == []
    assert "<b>" in html.texts  # an option, as a text
    losses = sorted(loss for loss in trials.losses() if loss is not None and loss == loss)
    for loss in losses[: table.TOP]:
        assert f"{loss:.6g}" in html.texts
    assert "trials" in html.texts


def test_trials_that_have_not_been_used_can_be_shown() -> None:
    assert Texts(Trials()._repr_html_()).texts == [
        "trials",
        "0",
        "ended",
        "not yet, or cut off",
        "best loss",
        "none",
    ]


def test_failures_are_grouped_by_messages_without_their_numbers() -> None:
    trials = Trials()

    def failing(x: float) -> float:
        if x < 0.5:
            raise ValueError(f"{x} is too small, by {1e-9 * x}")
        raise KeyError("other")

    with pytest.raises(AllTrialsFailed):
        fmin(
            failing,
            hp.uniform("x", 0, 0.51),
            "random",
            200,
            trials=trials,
            seed=0,
            verbose=False,
            catch_eval_exceptions=True,
        )
    _head, first, second = summary.failures(trials)
    assert int(first[0]) + int(second[0]) == 200
    assert first[1] == "error"
    assert first[2] == "0, 1, 2, 3, 4, ..."
    assert "is too small" in first[3]
    assert second[3] == "KeyError: 'other'"


def test_times_that_pandas_cannot_hold_are_missing() -> None:
    trials = Trials()
    trials.records[0] = Trial(0, {"x": 0.5}, Status.OK, loss=1.0, started=2e11, finished=0.0)
    frame = table.frame(trials)
    assert pd.isna(frame["started"][0])
    assert frame["finished"][0] == pd.Timestamp(0, tz="UTC")
    assert str(frame["started"].dtype).startswith("datetime64")
