"""Calls the objective, and reports the outcome as a dict of builtins.

This module is sent to the workers by value and imports nothing of sparktune there, so a cluster
needs neither sparktune nor numpy for it. The report of `evaluate`:

    status       "ok", "fail" (the objective returned that, or a loss of NaN) or "error" (it raised,
                 or returned an invalid result)
    loss         float, if status is "ok"; NaN if the objective returned NaN
    result       the return value of the objective, as a dict with at least `status`, without its
                 `attachments`
    attachments  the value of that key in the return value
    state        the value of `STATE` in the return value, for the configuration's next evaluation
    anew         whether the return value has `ANEW`: the previous state could not be loaded
    failure      (type, message, traceback text) if status is not "ok"
    started, finished    seconds since the epoch, by this machine's clock
    log          the end of stdout and stderr, only from Spark workers
    exception    the exception of the objective, if it raised; removed before the report is sent
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

_LONGEST = 2**16  # most characters of a message or traceback
_STATUSES = ("new", "running", "suspended", "ok", "fail")
STATE = "sparktune:state"  # key of a result with the state for the next evaluation
ANEW = "sparktune:anew"  # key of a result whose evaluation has lost the previous state
_HINT = (
    "return a number, or a dict like {'loss': 0.1, 'status': 'ok'} "
    "(or {'status': 'fail'} if there is no loss for these parameters)"
)


def evaluate(objective: Callable[[Any], Any], config: Any) -> dict[str, Any]:
    """Call the objective with one configuration, and return the report. Only KeyboardInterrupt is
    raised.
    """
    started = time.time()
    try:
        report = read(objective(config))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        report = failed(error)
    return report | {"started": started, "finished": time.time()}


def failed(error: BaseException) -> dict[str, Any]:
    """The report of an objective that raised. Its traceback starts at the objective."""
    failure = (_name_of(error), text_of(error), traceback_of(error, skip=1))
    return {"status": "error", "failure": failure, "exception": error}


def text_of(error: BaseException) -> str:
    """The message of an exception, shortened if it is long. Works even if its `str` raises."""
    return _cut(_text(str, error))


def traceback_of(error: BaseException, skip: int = 0) -> str:
    """The traceback of an exception, shortened if it is long. The first `skip` frames and following
    frames of this module are left out, if there are others.
    """
    frames = BaseException.__dict__["__traceback__"].__get__(error)  # ignores overrides
    for _ in range(skip):
        frames = (frames.tb_next if frames else None) or frames
    while frames and frames.tb_next and frames.tb_frame.f_code.co_filename == _HERE:
        frames = frames.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, frames))
    except Exception:  # raised by the exception's own code
        text = "".join(traceback.format_tb(frames)) + f"{_name_of(error)}: {text_of(error)}\n"
    return _cut(text)


def _name_of(value: Any) -> str:
    return str(type.__dict__["__name__"].__get__(type(value)))  # ignores overrides


def _text(shown: Callable[[Any], str], value: Any) -> str:
    try:
        return "".join([shown(value)])  # converts a subclass of str to str
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"<{_name_of(value)} whose text cannot be shown: {_name_of(error)}>"


def _cut(text: str, longest: int = _LONGEST) -> str:
    """The text without its middle, if it is longer than `longest`."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}... ({len(text)} characters) ...{text[-half:]}"


def read(returned: Any) -> dict[str, Any]:
    """The report of the return value of an objective: a number, or a dict with a `status`."""
    if (loss := as_number(returned)) is not None:
        return read({"loss": loss, "status": "ok"})
    try:
        if not (isinstance(returned, (Mapping, list, tuple)) or hasattr(returned, "keys")):
            raise TypeError  # dict() would iterate over any iterable, maybe without end
        result = dict(returned)
    except (TypeError, ValueError):
        return _invalid("InvalidResult", f"the objective returned {_short(returned)}; {_HINT}")
    attachments = dict(result.pop("attachments", None) or {})
    state, anew = result.pop(STATE, None), result.pop(ANEW, False) is True
    report = _read_result(result) | {"attachments": attachments} | ({"anew": True} if anew else {})
    return report | {"state": state} if state is not None and report["status"] == "ok" else report


def _read_result(result: dict[Any, Any]) -> dict[str, Any]:
    status = result.get("status")
    if status is None:
        message = f"the objective returned {_short(result)}, which has no 'status'; {_HINT}"
        return _invalid("InvalidResultStatus", message)
    if status not in _STATUSES:
        known = ", ".join(map(repr, _STATUSES))
        return _invalid(
            "InvalidResultStatus",
            f"the objective returned a dict with status {_short(status)}, which must be one of "
            f"{known}; {_HINT}",
        )
    if status != "ok":
        message = f"the objective returned status {status!r}"
        return {"status": "fail", "result": result, "failure": ("Fail", message, "")}
    return _read_loss(result)


def _read_loss(result: dict[Any, Any]) -> dict[str, Any]:
    given = result.get("loss")
    try:
        loss = float(given) if isinstance(given, str) else as_number(given)
    except ValueError:
        loss = None
    if loss is None:
        return _invalid("InvalidLoss", f"the objective returned the loss {_short(given)}; {_HINT}")
    result["loss"] = loss
    if loss != loss:
        message = "the objective returned NaN as its loss; such a trial is never the best"
        failure = ("InvalidLoss", message, "")
        return {"status": "fail", "loss": loss, "result": result, "failure": failure}
    return {"status": "ok", "loss": loss, "result": result}


def as_number(value: Any) -> float | None:
    """A real scalar of any library as a float; None for everything else (text, arrays, complex
    numbers, None).
    """
    if type(value) is float:
        return value
    if isinstance(value, (str, bytes, complex, Mapping)) or getattr(value, "shape", ()) != ():
        return None
    if getattr(getattr(value, "dtype", None), "kind", "") == "c":
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


_HERE = evaluate.__code__.co_filename  # a module that was sent by value has no `__file__`


def with_keywords(objective: Callable[..., Any], config: Mapping[str, Any], **more: Any) -> Any:
    """Call an objective with the items of its configuration as keyword arguments."""
    return objective(**config, **more)


def with_part(objective: Callable[..., Any], argument: tuple[Any, int]) -> Any:
    """Call an objective for one part of a trial; `argument` is (configuration, index of part)."""
    config, number = argument
    return objective(config, part=number)


def _invalid(kind: str, message: str) -> dict[str, Any]:
    return {"status": "error", "failure": (kind, message, "")}


def _short(value: Any) -> str:
    text = _text(repr, value)
    return text if len(text) <= 200 else text[:200] + "..."
