"""Small functions of `hyperopt.utils`."""

from sparktune.hyperopt._utilities import coarse_utcnow, use_obj_for_literal_in_memo

__all__ = ["coarse_utcnow", "use_obj_for_literal_in_memo"]
