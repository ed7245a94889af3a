"""Progress bars: context managers that return an object with `update(n)` and `postfix`."""

from sparktune.hyperopt._progress import no_progress_callback, tqdm_progress_callback

__all__ = ["default_callback", "no_progress_callback", "tqdm_progress_callback"]

default_callback = tqdm_progress_callback
