"""The models: scikit-learn regressors whose `predict` takes `return_std`."""

from sparktune.skopt.learning.forest import ExtraTreesRegressor, RandomForestRegressor
from sparktune.skopt.learning.gaussian_process.gpr import GaussianProcessRegressor
from sparktune.skopt.learning.gbrt import GradientBoostingQuantileRegressor

__all__ = (
    "ExtraTreesRegressor",
    "GaussianProcessRegressor",
    "GradientBoostingQuantileRegressor",
    "RandomForestRegressor",
)
