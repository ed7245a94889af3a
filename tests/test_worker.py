"""The worker: every kind of value that an objective returns, and every way in which it ends."""

from __future__ import annotations

import functools
from collections import OrderedDict
from decimal import Decimal
from fractions import Fraction
from math import inf, isnan, nan
from typing import Any

import numpy as np
import pytest

from sparktune import worker


def ended(returned: Any) -> dict[str, Any]:
    """The report of an objective that returns this, without its times."""
    report = worker.evaluate(lambda config: returned, None)
    assert 0 < report.pop("started") <= report.pop("finished")
    return report


# Numbers


@pytest.mark.parametrize(
    ("returned", "loss"),
    [
        (0.5, 0.5),
        (3, 3.0),
        (True, 1.0),
        (-inf, -inf),
        (inf, inf),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3.0),
        (np.bool_(False), 0.0),
        (np.array(0.5), 0.5),
        (Decimal("0.5"), 0.5),
        (Fraction(1, 2), 0.5),
    ],
    ids=repr,
)
def test_a_number_is_the_loss(returned: Any, loss: float) -> None:
    report = ended(returned)
    assert report == {
        "status": "ok",
        "loss": loss,
        "result": {"loss": loss, "status": "ok"},
        "attachments": {},
    }
    assert type(report["loss"]) is float
    assert type(report["result"]["loss"]) is float


@pytest.mark.parametrize("returned", [nan, np.float32(nan), {"loss": nan, "status": "ok"}])
def test_a_loss_of_nan_is_a_failure(returned: Any) -> None:
    report = ended(returned)
    assert report["status"] == "fail"
    assert isnan(report["loss"])
    assert report["result"]["status"] == "ok"
    assert report["failure"][:2] == (
        "InvalidLoss",
        "the objective returned NaN as its loss; such a trial is never the best",
    )


# Dicts


@pytest.mark.parametrize(
    "returned",
    [
        {"loss": 0.5, "status": "ok", "note": "kept"},
        OrderedDict(loss=np.float64(0.5), status="ok", note="kept"),
        [("loss", 0.5), ("status", "ok"), ("note", "kept")],
        {"loss": "0.5", "status": "ok", "note": "kept"},
        {"loss": np.array(0.5), "status": "ok", "note": "kept"},
    ],
    ids=repr,
)
def test_whatever_makes_a_dict_with_loss_and_status_is_a_result(returned: Any) -> None:
    report = ended(returned)
    assert (report["status"], report["loss"]) == ("ok", 0.5)
    assert report["result"] == {"loss": 0.5, "status": "ok", "note": "kept"}
    assert type(report["result"]) is dict
    assert type(report["result"]["loss"]) is float


def test_attachments_are_taken_out_of_the_result() -> None:
    given = {"loss": 0.5, "status": "ok", "attachments": {"model": b"bytes"}}
    report = ended(given)
    assert report["attachments"] == {"model": b"bytes"}
    assert report["result"] == {"loss": 0.5, "status": "ok"}
    assert "attachments" in given


@pytest.mark.parametrize("status", ["fail", "new", "running", "suspended"])
def test_any_other_known_status_is_a_failure_without_a_loss(status: str) -> None:
    report = ended({"status": status, "loss": 0.5, "note": "kept"})
    assert report["status"] == "fail"
    assert "loss" not in report
    assert report["result"] == {"status": status, "loss": 0.5, "note": "kept"}
    assert report["failure"] == ("Fail", f"the objective returned status {status!r}", "")


@pytest.mark.parametrize(
    "returned",
    [{}, {"loss": 0.5}, {"loss": 0.5, "status": None}, []],
    ids=repr,
)
def test_a_dict_without_a_status_is_an_error(returned: Any) -> None:
    report = ended(returned)
    kind, message, _ = report["failure"]
    assert (report["status"], kind) == ("error", "InvalidResultStatus")
    assert message.startswith(f"the objective returned {dict(returned)}, which has no 'status'; ")


def test_a_dict_with_an_unknown_status_is_an_error() -> None:
    report = ended({"loss": 0.5, "status": "OK"})
    kind, message, _ = report["failure"]
    assert (report["status"], kind) == ("error", "InvalidResultStatus")
    assert "which must be one of 'new', 'running', 'suspended', 'ok', 'fail'" in message


@pytest.mark.parametrize(
    "loss",
    [None, "much", "", b"1", [1.0], np.array([1.0]), np.array([1.0, 2.0]), 1j, np.complex64(1), {}],
    ids=repr,
)
def test_ok_without_a_usable_loss_is_an_error(loss: Any) -> None:
    report = ended({"loss": loss, "status": "ok"})
    kind, message, _ = report["failure"]
    assert (report["status"], kind) == ("error", "InvalidLoss")
    assert f"the objective returned the loss {loss!r}" in message


def test_a_missing_loss_is_an_error() -> None:
    report = ended({"status": "ok"})
    assert report["failure"][0] == "InvalidLoss"
    assert "the loss None" in report["failure"][1]


# What is no result


@pytest.mark.parametrize(
    "returned",
    [
        None,
        "0.5",
        b"0.5",
        (0.5, "ok"),
        [0.5],
        1j,
        np.complex128(1),
        np.array([0.5]),
        np.array([0.5, 1.5]),
        object,
        10**400,
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_neither_a_number_nor_a_dict_is_an_error(returned: Any) -> None:
    report = ended(returned)
    kind, message, _ = report["failure"]
    assert (report["status"], kind) == ("error", "InvalidResult")
    assert f"the objective returned {repr(returned)[:200]}" in message
    assert "return a number, or a dict like {'loss': 0.1, 'status': 'ok'}" in message
    assert len(message) < 500


class Unreadable:
    """Raises when read as a dict."""

    def keys(self) -> Any:
        raise RuntimeError("cannot be read")


class Endless:
    """Has no end when iterated."""

    def __getitem__(self, index: int) -> tuple[int, int]:
        return index, index


def test_a_result_without_an_end_is_not_read() -> None:
    assert ended(Endless())["failure"][0] == "InvalidResult"


@pytest.mark.parametrize(
    "returned",
    [
        Unreadable(),
        {"loss": 0.5, "status": "ok", "attachments": 5},
        {"loss": 0.5, "status": np.array([1, 2])},
    ],
    ids=["iterator", "attachments", "status"],
)
def test_a_result_that_cannot_be_read_is_an_error_of_the_trial(returned: Any) -> None:
    report = ended(returned)
    assert report["status"] == "error"
    assert report["failure"][0] == type(report["exception"]).__name__


# Exceptions


def inner() -> None:
    raise LookupError("the reason")


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), GeneratorExit()], ids=repr)
def test_an_exception_is_data(error: BaseException) -> None:
    def objective(config: Any) -> float:
        raise error

    report = worker.evaluate(objective, None)
    assert report["status"] == "error"
    assert report["exception"] is error
    assert report["failure"][:2] == (type(error).__name__, str(error))


def test_a_traceback_starts_at_the_objective_and_tells_the_cause() -> None:
    def objective(config: Any) -> float:
        try:
            inner()
        except LookupError as cause:
            raise ValueError("bad config") from cause
        return 0.0

    text = worker.evaluate(objective, None)["failure"][2]
    assert f'"{worker.__file__}"' not in text
    assert "in objective" in text
    assert "LookupError: the reason" in text
    assert text.endswith("ValueError: bad config\n")


def test_ctrl_c_gets_through() -> None:
    def objective(config: Any) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.evaluate(objective, None)


def test_the_objective_is_called_with_the_configuration_itself() -> None:
    config = {"x": 0.5}
    received: list[Any] = []
    worker.evaluate(received.append, config)
    assert received[0] is config


def test_a_configuration_can_be_passed_by_keyword() -> None:
    def objective(x: float, y: float) -> float:
        return x - y

    assert worker.with_keywords(objective, {"y": 1.0, "x": 3.0}) == 2.0


def test_errors_are_told_where_the_module_came_by_value() -> None:
    cloudpickle = pytest.importorskip("pyspark.cloudpickle")
    cloudpickle.register_pickle_by_value(worker)
    evaluate = cloudpickle.loads(cloudpickle.dumps(worker.evaluate))
    assert evaluate is not worker.evaluate
    report = evaluate(lambda x: 1 / x, 0)
    assert report["failure"][:2] == ("ZeroDivisionError", "division by zero")


def test_a_part_is_an_argument_by_name_and_the_traceback_starts_at_the_objective() -> None:
    def objective(config: float, *, part: int) -> float:
        return config / part

    called = functools.partial(worker.with_part, objective)
    assert worker.evaluate(called, (3.0, 2))["loss"] == 1.5
    failure = worker.evaluate(called, (3.0, 0))["failure"]
    assert "in objective" in failure[2].splitlines()[1]


def test_the_traceback_of_an_objective_of_keywords_starts_at_it() -> None:
    def objective(x: float) -> float:
        return 1 / x

    failure = worker.evaluate(functools.partial(worker.with_keywords, objective), {"x": 0})[
        "failure"
    ]
    assert "in objective" in failure[2].splitlines()[1]
