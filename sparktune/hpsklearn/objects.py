"""The transformers that hyperopt-sklearn brought along."""

from sparktune.sklearn.transformers import ColumnKMeans, LagSelector

__all__ = ["ColumnKMeans", "LagSelector"]
