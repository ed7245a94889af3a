"""The tree-structured Parzen estimator: sparktune's, and as Hyperopt had it.

suggest             sparktune's: better points, other ones than Hyperopt's for the same seed
suggest_hyperopt    Hyperopt's algorithm, for those who must reproduce what it did
"""

from sparktune.hyperopt._algorithms import tpe_suggest as suggest
from sparktune.hyperopt._algorithms import tpe_suggest_hyperopt as suggest_hyperopt
from sparktune.samplers.tpe import suggest as _tpe

__all__ = ["suggest", "suggest_hyperopt"]

_default_prior_weight = _tpe.prior_weight
_default_n_startup_jobs = _tpe.n_startup_jobs
_default_n_EI_candidates = _tpe.n_EI_candidates
_default_gamma = _tpe.gamma
