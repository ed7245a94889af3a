"""What the best loss is worth on new data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune import InvalidArgument, Study, hp, report
from sparktune.cli import main
from sparktune.results.corrected import corrected, fold_losses, held_out
from sparktune.trial import Status, Trial


def told(results: list[dict[str, Any]]) -> Study:
    """A study of these results."""
    study = Study({"x": hp.uniform("x", 0, 1)}, "random", seed=1)
    for trial, result in zip(study.ask(len(results)), results, strict=True):
        study.tell(trial, {"status": "ok", **result})
    return study


def folds(*losses: float) -> dict[str, Any]:
    return {"loss": float(np.mean(losses)), "losses": list(losses)}


def test_the_bias_is_the_mean_of_what_the_best_lacks_on_each_fold() -> None:
    study = told([folds(1, 2, 3), folds(1, 1, 1), folds(0.5, 2, 0), folds(9, 9, 9)])
    found = corrected(study)  # trial 2 is the best by 2.5 / 3; on fold 1, trial 1 is better by 1
    assert found is not None
    assert found.bias == pytest.approx(1 / 3)
    assert found.loss == pytest.approx(2.5 / 3 + 1 / 3)
    assert (found.folds, found.trials) == (3, 4)


def test_the_correction_undoes_the_luck_of_pure_noise() -> None:
    """Losses of mean 1 whatever the trial: the best of them seems lower, the corrected one less."""
    rng = np.random.default_rng(1)
    found = [corrected(told([folds(*rng.normal(1, 1, 5)) for _ in range(50)])) for _ in range(40)]
    raw = np.mean([each.loss - each.bias for each in found if each])
    right = np.mean([each.loss for each in found if each])
    assert raw < 0.2
    assert abs(right - 1) < abs(raw - 1)


def test_folds_are_read_from_the_row_of_a_search() -> None:
    row = {
        "split0_test_score": 0.5,
        "split1_test_score": 0.7,
        "split2_test_score": 0.9,
        "mean_test_score": 0.7,
    }
    trial = Trial(0, {}, Status.OK, loss=-0.7, result={"loss": -0.7, "cv_results": row})
    found = fold_losses(trial)
    assert found is not None
    assert found.tolist() == [-0.5, -0.7, -0.9]


@pytest.mark.parametrize(
    "result",
    [
        {"loss": 1.0},
        {"loss": 1.0, "losses": [1.0, 3.0]},
        {"loss": 1.0, "losses": [1.0, None, 1.0]},
        {"loss": 1.0, "losses": "abc"},
        {"loss": 1.0, "losses": [[1.0], [1.0]]},
        {"loss": 1.0, "cv_results": 3},
    ],
)
def test_what_is_no_list_of_folds_is_left_alone(result: dict[str, Any]) -> None:
    assert fold_losses(Trial(0, {}, Status.OK, loss=1.0, result=result)) is None
    assert corrected(told([result, result])) is None


def test_a_search_that_followed_noise_is_named() -> None:
    results = [{"loss": v, "test_loss": t} for v, t in ((5, 4), (3, 2), (4, 1), (2, 2.5), (1, 6))]
    study = told(results)
    found = held_out(study, None)
    assert found is not None
    assert [trial.id for trial in found.trials] == [0, 1, 3, 4]  # 2 was never the best so far
    assert found.overtuning == 4.0
    page = report(study).html
    assert "Overtuning: on held-out data trial 1" in page
    assert "is better by 4 (loss 2)" in page
    assert "Even trial 0" in page
    assert "Best loss so far, in the search and on held-out data" in page


def test_a_search_that_did_not_is_not() -> None:
    results = [{"loss": v, "test_loss": v + 1} for v in (5.0, 3.0, 4.0, 2.0)]
    page = report(told(results)).html
    assert "vertuning" not in page
    assert "it is also the best on held-out data" in page


def test_without_held_out_losses_nothing_is_claimed() -> None:
    page = report(told([{"loss": v} for v in (5.0, 3.0)])).html
    assert "vertuning" not in page
    assert "These results do not show by how much" in page


def test_a_loss_of_the_best_trial_is_given_by_hand(tmp_path: Path) -> None:
    study = told([{"loss": v} for v in (5.0, 3.0, 4.0)])
    said = "On held-out data the loss of the best trial is 3.5; in the search it was 3."
    assert said in report(study, test=3.5).html
    assert said in study.report(test={0: 4.0, 1: 3.5}).html

    journal, table, page = tmp_path / "s.jsonl", tmp_path / "t.csv", tmp_path / "page.html"
    study.save(journal)
    table.write_text("id,loss\n0,4.0\n1,3.5\n")
    for given in ("3.5", str(table)):
        assert main(["report", str(journal), "-o", str(page), "--test", given]) == 0
        assert said in page.read_text()
    assert main(["report", str(journal), "-o", str(page), "--test", "none.csv"]) == 2


@pytest.mark.parametrize("test", [float("nan"), "0.1", True, {7: 1.0}, {0: None}])
def test_losses_that_are_none_are_refused(test: Any) -> None:
    with pytest.raises(InvalidArgument):
        report(told([{"loss": 1.0}]), test=test)


def test_a_held_out_loss_is_of_one_study() -> None:
    study = told([{"loss": 1.0}])
    with pytest.raises(InvalidArgument, match="one study"):
        report({"a": study, "b": study}, test=1.0)


def test_hyperopts_name_of_the_held_out_loss_is_known() -> None:
    found = held_out(told([{"loss": 1.0, "true_loss": 2.0}]), None)
    assert found is not None
    assert found.losses.tolist() == [2.0]
