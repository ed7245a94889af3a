"""The tree-structured Parzen estimator (TPE).

suggest             sparktune's TPE: better points, but different from Hyperopt's for the same seed
suggest_hyperopt    Hyperopt's TPE, to reproduce the results of Hyperopt
"""

from sparktune.hyperopt._algorithms import tpe_suggest as suggest
from sparktune.hyperopt._algorithms import tpe_suggest_hyperopt as suggest_hyperopt
from sparktune.samplers.tpe import suggest as _tpe

__all__ = ["suggest", "suggest_hyperopt"]

_default_prior_weight = _tpe.prior_weight
_default_n_startup_jobs = _tpe.n_startup_jobs
_default_n_EI_candidates = _tpe.n_EI_candidates
_default_gamma = _tpe.gamma
