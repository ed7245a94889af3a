"""A stopping rule that calls a function of the user."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.stopping.rules import Rule


class EarlyStop(Rule):
    """Hyperopt's `early_stop_fn(trials, *state) -> (stop, state)` as a stopping rule.

    The function is called if trials have ended since its last call, or since the first call of
    `stop`.

    Args:
        function: the user's function.
        trials: its first argument.
    """

    def __init__(self, function: Callable[..., Any], trials: Any) -> None:
        self._function = function
        self._trials = trials
        self._state: list[Any] = []
        self._ended: int | None = None

    def stop(self, history: View) -> str | None:
        """The reason to stop if the function returns that; else None.

        Raises:
            InvalidArgument: the function returns neither (stop, state) nor a bool.
        """
        ended = len(history) - int(np.count_nonzero(history.pending))
        before, self._ended = self._ended, ended
        if before in (None, ended):
            return None
        answer = self._answer(int(history.pending.sum()))
        if isinstance(answer, (bool, np.bool_)):
            answer = (answer, self._state)
        if not (isinstance(answer, (tuple, list)) and len(answer) == 2 and _state_like(answer[1])):
            raise InvalidArgument(
                "early_stop_fn must return (stop, state): a bool, and the list of arguments "
                f"for its next call; got {answer!r}"
            )
        stop, self._state = answer[0], [] if answer[1] is None else list(answer[1])
        return "early stopping condition" if stop else None

    def _answer(self, pending: int) -> Any:
        try:
            return self._function(self._trials, *self._state)
        except (KeyError, TypeError) as error:
            if not pending:
                raise
            raise InvalidArgument(
                f"early_stop_fn raised {type(error).__name__}: {error}. It is called while other "
                f"trials wait or run ({pending} now), which have no loss yet. Read the best loss "
                "as trials.best_trial['result']['loss'], and the losses so far as "
                "[r['loss'] for r in trials.results if r['status'] == 'ok']"
            ) from error


def _state_like(state: Any) -> bool:
    if isinstance(state, Mapping):
        return not state  # its keys would become the arguments
    return state is None or (isinstance(state, Iterable) and not isinstance(state, (str, bytes)))
