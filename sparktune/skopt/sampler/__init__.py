"""Generators of initial points."""

from sparktune.skopt.sampler.base import InitialPointGenerator
from sparktune.skopt.sampler.grid import Grid
from sparktune.skopt.sampler.halton import Halton
from sparktune.skopt.sampler.hammersly import Hammersly
from sparktune.skopt.sampler.lhs import Lhs
from sparktune.skopt.sampler.sobol import Sobol

__all__ = ["Grid", "Halton", "Hammersly", "InitialPointGenerator", "Lhs", "Sobol"]
