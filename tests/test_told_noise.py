"""What results say of the noise of their losses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sparktune.told_noise import variance_of


def test_a_variance_is_taken_as_it_is_told() -> None:
    assert variance_of({"loss_variance": np.float32(0.25), "losses": [1.0, 2.0]}, 1.5) == (
        0.25,
        "the loss_variance that the objective returned",
    )


def test_folds_have_a_variance_of_their_mean() -> None:
    told = variance_of({"losses": [1.0, 3.0]}, 2.0)
    assert told is not None
    assert told[0] == pytest.approx(1.0)
    row = {"mean_test_score": -2.0, "split0_test_score": -1.0, "split1_test_score": -3.0}
    other = {"mean_test_f1": 0.5, "split0_test_f1": 0.5, "split1_test_f1": 0.5}
    assert variance_of({"cv_results": {**other, **row}}, 2.0) == told


def test_an_array_of_folds_is_used_as_a_list_is() -> None:
    assert variance_of({"losses": np.array([1.0, 3.0])}, 2.0) == variance_of(
        {"losses": [1.0, 3.0]}, 2.0
    )


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        {"loss_variance": 0.0},
        {"loss_variance": -1.0},
        {"loss_variance": math.nan},
        {"loss_variance": "0.5"},
        {"loss_variance": True},
        {"loss_variance": [1.0, 2.0]},
        {"losses": [1.0]},
        {"losses": [1.0, 1.0]},
        {"losses": "12"},
        {"losses": 3.0},
        {"losses": [1.0, math.inf]},
        {"cv_results": {"mean_test_score": -1.0, "split0_test_score": -1.0}},
        {"cv_results": "none"},
    ],
)
def test_other_results_tell_nothing(result: object) -> None:
    assert variance_of(result, 1.0) is None  # type: ignore[arg-type]
