"""Stopping without progress."""

from sparktune.stopping import no_progress_loss

__all__ = ["no_progress_loss"]
