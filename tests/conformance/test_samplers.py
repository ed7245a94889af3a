"""Every sampler does what samplers must."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sparktune.samplers import random, tpe
from sparktune.study import Sampler
from sparktune.testing import SAMPLER_CHECKS

SAMPLERS = {"random": random.suggest, "tpe": tpe.suggest}


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())
@pytest.mark.parametrize("check", SAMPLER_CHECKS, ids=lambda check: check.__name__)
def test_the_sampler_passes(check: Callable[[Sampler], None], sampler: Sampler) -> None:
    check(sampler)
