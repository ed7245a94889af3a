"""Trials, their documents, and the domain of a search."""

from sparktune.errors import (
    AllTrialsFailed,
    DuplicateLabel,
    InvalidLoss,
    InvalidResultStatus,
    InvalidTrial,
)
from sparktune.hyperopt import pyll
from sparktune.hyperopt._documents import (
    JOB_STATES,
    JOB_VALID_STATES,
    STATUS_STRINGS,
    TRIAL_KEYS,
    TRIAL_MISC_KEYS,
    miscs_to_idxs_vals,
    miscs_update_idxs_vals,
    spec_from_misc,
)
from sparktune.hyperopt._domain import Domain
from sparktune.hyperopt._trials import Ctrl, Trials, trials_from_docs
from sparktune.hyperopt._utilities import (
    use_obj_for_literal_in_memo,
    validate_loss_threshold,
    validate_timeout,
)
from sparktune.trial import (
    JOB_STATE_CANCEL,
    JOB_STATE_DONE,
    JOB_STATE_ERROR,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    STATUS_FAIL,
    STATUS_NEW,
    STATUS_OK,
    STATUS_RUNNING,
    STATUS_SUSPENDED,
)

__all__ = [
    "JOB_STATES",
    "JOB_STATE_CANCEL",
    "JOB_STATE_DONE",
    "JOB_STATE_ERROR",
    "JOB_STATE_NEW",
    "JOB_STATE_RUNNING",
    "JOB_VALID_STATES",
    "STATUS_FAIL",
    "STATUS_NEW",
    "STATUS_OK",
    "STATUS_RUNNING",
    "STATUS_STRINGS",
    "STATUS_SUSPENDED",
    "TRIAL_KEYS",
    "TRIAL_MISC_KEYS",
    "AllTrialsFailed",
    "Ctrl",
    "Domain",
    "DuplicateLabel",
    "InvalidLoss",
    "InvalidResultStatus",
    "InvalidTrial",
    "Trials",
    "miscs_to_idxs_vals",
    "miscs_update_idxs_vals",
    "pyll",
    "spec_from_misc",
    "trials_from_docs",
    "use_obj_for_literal_in_memo",
    "validate_loss_threshold",
    "validate_timeout",
]
