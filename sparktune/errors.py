"""The exceptions of sparktune.

    SparktuneError
    ├── InvalidArgument (ValueError)         an argument of a public call is wrong
    ├── InvalidTrial (ValueError)            a document is not a valid trial document
    ├── BadSearchSpace (ValueError)          the search space cannot be used
    │   └── DuplicateLabel                   two different parameters share one label
    ├── InvalidAnnotatedParameter (ValueError)   space="annotated": an annotation is not hp.*
    ├── ObjectiveNotPicklable (TypeError)    the objective cannot travel to the workers
    ├── JournalFailed (OSError)              a journal cannot be written; the run ends
    ├── SparkUnavailable (RuntimeError)      no pyspark, no Java, or no usable Spark session
    ├── AllTrialsFailed                      a run ended without one usable loss
    └── TrialFailed                          one trial failed
        ├── InvalidResult (TypeError)        the objective returned neither a number nor a dict
        ├── InvalidResultStatus (ValueError) the objective returned an unknown status
        └── InvalidLoss (ValueError)         the objective returned no usable loss

Failures of an objective are data (`sparktune.trial.Failure`). They are only raised if the user asks
for it: `tune(errors="raise")`, and `fmin` with `Trials()` without `catch_eval_exceptions`.
"""

from __future__ import annotations

import reprlib
from typing import Any

__all__ = [
    "AllTrialsFailed",
    "BadSearchSpace",
    "DuplicateLabel",
    "InvalidAnnotatedParameter",
    "InvalidArgument",
    "InvalidLoss",
    "InvalidResult",
    "InvalidResultStatus",
    "InvalidTrial",
    "JournalFailed",
    "ObjectiveNotPicklable",
    "SparkUnavailable",
    "SparktuneError",
    "TrialFailed",
]


class SparktuneError(Exception):
    """Base class of all exceptions of sparktune."""


class InvalidArgument(SparktuneError, ValueError):
    """An argument of a public call is invalid; nothing was started."""


class InvalidTrial(SparktuneError, ValueError):
    """A document inserted into trials is not a valid trial document; `obj` holds it."""

    def __init__(self, message: str, obj: Any = None) -> None:
        super().__init__(f"{message} {brief(obj):.300}")
        self.obj = obj


def brief(obj: Any) -> str:
    """The shortened repr of an object, for a message. Its cost does not depend on the object's
    size.
    """
    shown = reprlib.Repr()
    shown.maxlevel, shown.maxdict, shown.maxstring, shown.maxother = 4, 10, 200, 200
    try:
        return shown.repr(obj)
    except Exception:  # raised by the object's own code, or by an int with too many digits
        return f"<{type(obj).__name__}>"


class BadSearchSpace(SparktuneError, ValueError):
    """The search space cannot be used; nothing was started."""


class DuplicateLabel(BadSearchSpace):
    """Two different parameters of one space share a label."""


class InvalidAnnotatedParameter(SparktuneError, ValueError):
    """With `space="annotated"`, an annotation of the objective is not a parameter of hp.*."""

    @property
    def result(self) -> Any:
        """The message: the first argument of the exception, as in Hyperopt."""
        return self.args[0] if self.args else None


class ObjectiveNotPicklable(SparktuneError, TypeError):
    """The objective, or something it refers to, cannot be sent to another process."""


class JournalFailed(SparktuneError, OSError):
    """A journal cannot be written. The run stops, because a study that must survive a crash cannot
    continue unrecorded. Results so far are in `trials`.
    """


class SparkUnavailable(SparktuneError, RuntimeError):
    """There is no pyspark, no Java, or no usable Spark session."""


class AllTrialsFailed(SparktuneError):
    """A run ended without one usable loss; the message holds the first trial's traceback."""


class TrialFailed(SparktuneError):
    """A trial failed, and the exception of the objective is not available in this process."""

    @property
    def result(self) -> Any:
        """The first argument of the exception: a message, or a result in programs of Hyperopt."""
        return self.args[0] if self.args else None


class InvalidResult(TrialFailed, TypeError):
    """The objective returned neither a number nor a dict."""


class InvalidResultStatus(TrialFailed, ValueError):
    """The objective returned a dict without a known `status`."""


class InvalidLoss(TrialFailed, ValueError):
    """The objective reported success without a usable `loss`."""


def from_failure(kind: str, message: str) -> TrialFailed:
    """The exception for a failure of type `kind`, if the original exception is not available."""
    known: dict[str, type[TrialFailed]] = {
        each.__name__: each for each in (InvalidResult, InvalidResultStatus, InvalidLoss)
    }
    return known.get(kind, TrialFailed)(message)
