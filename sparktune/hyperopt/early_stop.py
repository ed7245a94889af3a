"""Early stopping if the loss does not improve."""

from sparktune.stopping import no_progress_loss

__all__ = ["no_progress_loss"]
