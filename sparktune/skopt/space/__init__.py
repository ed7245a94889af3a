"""Dimensions, spaces and transformers, as in scikit-optimize."""

from sparktune.skopt.space.categorical import Categorical
from sparktune.skopt.space.dimension import Dimension
from sparktune.skopt.space.notation import check_dimension
from sparktune.skopt.space.numeric import Integer, Real
from sparktune.skopt.space.space import Space
from sparktune.skopt.space.transformers import (
    CategoricalEncoder,
    Identity,
    LabelEncoder,
    LogN,
    Normalize,
    Pipeline,
    StringEncoder,
)

__all__ = [
    "Categorical",
    "CategoricalEncoder",
    "Dimension",
    "Identity",
    "Integer",
    "LabelEncoder",
    "LogN",
    "Normalize",
    "Pipeline",
    "Real",
    "Space",
    "StringEncoder",
    "check_dimension",
]
