"""Gaussian processes."""

from sparktune.skopt.learning.gaussian_process import kernels
from sparktune.skopt.learning.gaussian_process.gpr import GaussianProcessRegressor

__all__ = ("GaussianProcessRegressor", "kernels")
