"""The exceptions of sparktune.

    SparktuneError
    ├── InvalidArgument (ValueError)         an argument of a public call is wrong
    ├── InvalidTrial (ValueError)            a document is not one of a trial
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

Failures of an objective are data (`sparktune.trial.Failure`) and become exceptions only where the
user asked for it: `Trials()` without `catch_eval_exceptions` raises the objective's own exception.
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
    """Root of everything sparktune raises on purpose."""


class InvalidArgument(SparktuneError, ValueError):
    """An argument of a public call is wrong; nothing was started."""


class InvalidTrial(SparktuneError, ValueError):
    """A document inserted into trials is not a valid trial document; `obj` holds it."""

    def __init__(self, message: str, obj: Any = None) -> None:
        super().__init__(f"{message} {brief(obj):.300}")
        self.obj = obj


def brief(obj: Any) -> str:
    """The beginning of an object's text for a message, at a cost that does not depend on its
    size.
    """
    shown = reprlib.Repr()
    shown.maxlevel, shown.maxdict, shown.maxstring, shown.maxother = 4, 10, 200, 200
    try:
        return shown.repr(obj)
    except Exception:  # an object of the user's, or a number that is too long
        return f"<{type(obj).__name__}>"


class BadSearchSpace(SparktuneError, ValueError):
    """The search space cannot be used; nothing was started."""


class DuplicateLabel(BadSearchSpace):
    """Two different parameters of one space share a label."""


class InvalidAnnotatedParameter(SparktuneError, ValueError):
    """`space="annotated"`: an annotation of the objective is not a search space."""

    @property
    def result(self) -> Any:
        """The first argument."""
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
    """A trial failed and no exception of the objective exists in this process to raise instead.

    `result` is what it was made with: a message, or in Hyperopt's programs a result.
    """

    @property
    def result(self) -> Any:
        """The first argument."""
        return self.args[0] if self.args else None


class InvalidResult(TrialFailed, TypeError):
    """The objective returned neither a number nor a dict."""


class InvalidResultStatus(TrialFailed, ValueError):
    """The objective returned a dict without a known `status`."""


class InvalidLoss(TrialFailed, ValueError):
    """The objective reported success without a usable `loss`."""


def from_failure(kind: str, message: str) -> TrialFailed:
    """The exception for a failure of that type where the original exception is not at hand."""
    known: dict[str, type[TrialFailed]] = {
        each.__name__: each for each in (InvalidResult, InvalidResultStatus, InvalidLoss)
    }
    return known.get(kind, TrialFailed)(message)
