"""What runs around the objective: calls it and reports how it ended as a dict of builtins.

This module travels to the workers by value and imports nothing of sparktune there, so a cluster
needs neither sparktune nor numpy for it. The report of `evaluate`:

    status       "ok", "fail" (the objective says so, or its loss is NaN) or "error" (it raised,
                 or returned no result)
    loss         float, where status is "ok"; NaN where the objective returned NaN
    result       what the objective returned, as a dict with at least `status`, without its
                 `attachments`
    attachments  what the objective returned under that key
    state        what the result holds under `STATE`, for the configuration's next evaluation
    anew         whether it holds `ANEW`: a state was there for it, and could not be had
    failure      (type, message, traceback text) where status is not "ok"
    started, finished    seconds since the epoch, by this machine's clock
    log          the end of what was written to stdout and stderr, only from Spark workers
    exception    the exception itself where the objective raised one; removed before the report
                 travels
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

_LONGEST = 2**16  # characters of a message or traceback that are kept
_STATUSES = ("new", "running", "suspended", "ok", "fail")
STATE = "sparktune:state"  # where a result holds what is kept for the next evaluation
ANEW = "sparktune:anew"  # where it says that the state of the evaluation before was lost
_HINT = (
    "return a number, or a dict like {'loss': 0.1, 'status': 'ok'} "
    "(or {'status': 'fail'} if there is no loss for these parameters)"
)


def evaluate(objective: Callable[[Any], Any], config: Any) -> dict[str, Any]:
    """Call the objective on one configuration and report how it ended. Raises only
    KeyboardInterrupt.
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
    """The report of an objective that raised; its traceback starts at the objective."""
    failure = (_name_of(error), text_of(error), traceback_of(error, skip=1))
    return {"status": "error", "failure": failure, "exception": error}


def text_of(error: BaseException) -> str:
    """The message of any exception, even if it cannot be shown as text; shortened if long."""
    return _cut(_text(str, error))


def traceback_of(error: BaseException, skip: int = 0) -> str:
    """The traceback of any exception, without its first `skip` frames and those of this module that
    follow, if there are more; cut where it is long.
    """
    frames = BaseException.__dict__["__traceback__"].__get__(error)  # which no class overrides
    for _ in range(skip):
        frames = (frames.tb_next if frames else None) or frames
    while frames and frames.tb_next and frames.tb_frame.f_code.co_filename == _HERE:
        frames = frames.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, frames))
    except Exception:  # of the exception's own code
        text = "".join(traceback.format_tb(frames)) + f"{_name_of(error)}: {text_of(error)}\n"
    return _cut(text)


def _name_of(value: Any) -> str:
    return str(type.__dict__["__name__"].__get__(type(value)))  # which no class overrides


def _text(shown: Callable[[Any], str], value: Any) -> str:
    try:
        return "".join([shown(value)])  # a plain str, whatever kind of str it was
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"<{_name_of(value)} whose text cannot be shown: {_name_of(error)}>"


def _cut(text: str, longest: int = _LONGEST) -> str:
    """A text; its middle is left out if it is long."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}... ({len(text)} characters) ...{text[-half:]}"


def read(returned: Any) -> dict[str, Any]:
    """The report of what an objective returned: a number, or a dict with a `status`."""
    if (loss := as_number(returned)) is not None:
        return read({"loss": loss, "status": "ok"})
    try:
        if not (isinstance(returned, (Mapping, list, tuple)) or hasattr(returned, "keys")):
            raise TypeError  # dict() would iterate whatever it is, maybe without end
        result = dict(returned)
    except (TypeError, ValueError):
        return _invalid("InvalidResult", f"the objective returned {_short(returned)}; {_HINT}")
    attachments = dict(result.pop("attachments", None) or {})
    state, anew = result.pop(STATE, None), result.pop(ANEW, False) is True
    report = _read_result(result) | {"attachments": attachments} | ({"anew": True} if anew else {})
    return report | {"state": state} if state is not None and report["status"] == "ok" else report


def _read_result(result: dict[Any, Any]) -> dict[str, Any]:
    status = result.get("status")
    if status not in _STATUSES:
        known = ", ".join(map(repr, _STATUSES))
        return _invalid(
            "InvalidResultStatus",
            f"the objective returned a dict with status {_short(status)}; wanted one of "
            f"{known}: {_HINT}",
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


_HERE = evaluate.__code__.co_filename  # as a module that came by value has no `__file__`


def with_keywords(objective: Callable[..., Any], config: Mapping[str, Any], **more: Any) -> Any:
    """Call an objective that takes its parameters as keyword arguments."""
    return objective(**config, **more)


def with_part(objective: Callable[..., Any], argument: tuple[Any, int]) -> Any:
    """Call an objective on one part of a trial; `argument` is its configuration and the number of
    the part.
    """
    config, number = argument
    return objective(config, part=number)


def _invalid(kind: str, message: str) -> dict[str, Any]:
    return {"status": "error", "failure": (kind, message, "")}


def _short(value: Any) -> str:
    text = _text(repr, value)
    return text if len(text) <= 200 else text[:200] + "..."
