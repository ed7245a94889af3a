"""Algorithms with Hyperopt's signature, `algo(new_ids, domain, trials, seed) -> documents`:
sparktune's samplers as such functions, and users' functions as samplers.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparktune import trials as core
from sparktune.annotated import annotated
from sparktune.documents import Document
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.hyperopt._documents import miscs_to_idxs_vals, spec_from_misc
from sparktune.hyperopt._domain import Domain, by_label, documents_of, suggestions
from sparktune.hyperopt._prior import prior_point
from sparktune.samplers import Sampler, anneal, random, tpe, tpe_hyperopt
from sparktune.samplers._options import with_options
from sparktune.samplers.algorithms import form_of, is_form, resolve
from sparktune.samplers.mix import Mix, pairs_of
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.trial import next_id

logger = logging.getLogger("sparktune")

Algorithm = Callable[..., list[Document]]

ATPE_NOTICE = "atpe.suggest: Hyperopt's adaptive TPE is not part of sparktune; its TPE runs instead"


_TPE = tpe.TPE(repeats=True)  # even a space with few points gets `max_evals` evaluations


@form_of(random.suggest)
def rand(new_ids: list[Any], domain: Domain, trials: Any, seed: Any) -> list[Document]:
    """Return documents of new trials drawn from the prior, with the same random numbers as in
    Hyperopt.
    """
    rng = np.random.default_rng(seed)
    points = [prior_point(domain.space, rng) for _ in new_ids]
    return documents_of(new_ids, points, domain, trials)


def rand_batch(
    new_ids: list[Any], domain: Domain, trials: Any, seed: Any
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Draw a point from the prior for each id; returns ({label: ids}, {label: values}) of active
    parameters.
    """
    rng = np.random.default_rng(seed)
    return by_label(domain.space, new_ids, [prior_point(domain.space, rng) for _ in new_ids])


@form_of(_TPE)
def tpe_suggest(
    new_ids: list[Any],
    domain: Domain,
    trials: Any,
    seed: Any,
    prior_weight: float = _TPE.prior_weight,
    n_startup_jobs: int = _TPE.n_startup_jobs,
    n_EI_candidates: int = _TPE.n_EI_candidates,
    gamma: float = _TPE.gamma,
    verbose: bool = True,
) -> list[Document]:
    """Return documents of new trials suggested by sparktune's TPE, with its options."""
    sampler = tpe.TPE(prior_weight, n_startup_jobs, n_EI_candidates, gamma, repeats=True)
    return suggestions(sampler, new_ids, domain, trials, seed)


@form_of(tpe_hyperopt.suggest)
def tpe_suggest_hyperopt(
    new_ids: list[Any],
    domain: Domain,
    trials: Any,
    seed: Any,
    prior_weight: float = 1.0,
    n_startup_jobs: int = 20,
    n_EI_candidates: int = 24,
    gamma: float = 0.25,
    verbose: bool = True,
) -> list[Document]:
    """Return documents of new trials suggested by Hyperopt's TPE. Use it to reproduce the results
    of Hyperopt.
    """
    options = (prior_weight, n_startup_jobs, n_EI_candidates, gamma)
    sampler = tpe_hyperopt.TPEHyperopt(*options)
    return suggestions(sampler, new_ids, domain, trials, seed)


@form_of(anneal.suggest)
def anneal_suggest(
    new_ids: list[Any],
    domain: Domain,
    trials: Any,
    seed: Any,
    avg_best_idx: float = 2.0,
    shrink_coef: float = 0.1,
) -> list[Document]:
    """Return documents of new trials suggested by simulated annealing."""
    sampler = anneal.Anneal(avg_best_idx, shrink_coef)
    return suggestions(sampler, new_ids, domain, trials, seed)


def anneal_batch(
    new_ids: list[Any], domain: Domain, trials: Any, seed: Any, **options: Any
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Suggest a point by annealing for each id; returns ({label: ids}, {label: values}) of active
    parameters.
    """
    docs = anneal_suggest(new_ids, domain, trials, seed, **options)
    return miscs_to_idxs_vals([doc["misc"] for doc in docs], domain.space.labels)


@form_of(_TPE)
def atpe(new_ids: list[Any], domain: Domain, trials: Any, seed: Any) -> list[Document]:
    """Return documents of new trials suggested by sparktune's TPE, instead of Hyperopt's adaptive
    TPE.
    """
    logger.warning(ATPE_NOTICE)
    return suggestions(_TPE, new_ids, domain, trials, seed)


def mix(
    new_ids: list[Any],
    domain: Domain,
    trials: Any,
    seed: Any,
    p_suggest: Sequence[tuple[float, Algorithm]],
) -> list[Document]:
    """Return documents of new trials from one of several algorithms, drawn at random.

    Args:
        p_suggest: pairs (probability, algorithm).

    Raises:
        InvalidArgument: p_suggest has other elements, or the probabilities do not sum to 1.
    """
    rng, pairs = np.random.default_rng(seed), pairs_of(p_suggest)
    chosen: Algorithm = pairs[int(rng.choice(len(pairs), p=[p for p, _ in pairs]))][1]
    return chosen(new_ids, domain, trials, seed=int(rng.integers(2**31)))


def sampler_of(algo: Any, fn: Any, space: Any, trials: Any, rstate: Any, chunk: int) -> Sampler:
    """Return the sampler for `algo` in a run of `fn` over `space`. An algorithm with Hyperopt's
    signature is asked for `chunk` points at a time, with seeds from `rstate` if it is a generator.

    Raises:
        InvalidArgument: algo is not an algorithm, or it returns documents, which these trials
            cannot store.
    """
    algo = tpe_suggest if algo is None else algo
    seeds = rstate if isinstance(rstate, np.random.Generator) else None
    reproduces = _unwrapped(algo) == (rand, {}) and seeds is not None and takes_documents(trials)
    if _is_ours(algo) and not reproduces:
        return _resolved(algo)
    _check_members(algo)
    if not takes_documents(trials):
        raise InvalidArgument(
            f"algo={algo!r} returns documents; run it with Trials or SparkTrials of "
            f"sparktune.hyperopt, got {type(trials)!r}"
        )
    if isinstance(space, str):
        fn, space = annotated(fn)
    ended = any(not trial.status.pending for trial in trials.records.values())
    follows = ended and not trials.seeds  # earlier runs, whose seeds are unknown
    return Foreign(algo, Domain(fn, space), trials, chunk, None if follows else seeds)


def takes_documents(trials: Any) -> bool:
    """Whether documents can be inserted into these trials, as in Hyperopt."""
    return isinstance(trials, core.Trials) and hasattr(trials, "insert_trial_docs")


def _is_ours(algo: Any) -> bool:
    """Whether `algo` can be passed to `resolve`: it is an algorithm of sparktune, perhaps with
    options, or is not callable.
    """
    function, options = _unwrapped(algo)
    if function is mix:
        return all(_is_ours(member) for _, member in pairs_of(options.get("p_suggest")))
    return not callable(algo) or is_form(function) or hasattr(function, "suggest")


def _resolved(algo: Any) -> Sampler:
    function, options = _unwrapped(algo)
    if function is mix:
        pairs = pairs_of(options.get("p_suggest"))
        options["p_suggest"] = tuple((p, _resolved(member)) for p, member in pairs)
        return with_options(Mix(), **options)
    if function is atpe:
        logger.warning(ATPE_NOTICE)
    return resolve(algo)


def _check_members(algo: Any) -> None:
    """Check the options of a mixture that has users' algorithms, and of sparktune's algorithms in
    it.
    """
    function, options = _unwrapped(algo)
    if function is mix:
        members = [member for _, member in pairs_of(options.pop("p_suggest"))]
        with_options(Mix(), **options)
        for member in members:
            _check_members(member)
    elif _is_ours(algo):
        resolve(algo)


def _unwrapped(algo: Any) -> tuple[Any, dict[str, Any]]:
    """Return the function inside nested `functools.partial`s, and all their options."""
    options: dict[str, Any] = {}
    while isinstance(algo, functools.partial):
        options = algo.keywords | options
        algo = algo.func
    return algo, options


class Foreign:
    """A sampler that calls an algorithm with Hyperopt's signature.

    Args:
        algo: called with the ids of new trials, the domain, the trials and an integer seed. It
            returns at most one document for each id; if it returns fewer, the run ends.
        domain: the search problem.
        trials: passed to the algorithm; its documents are inserted there.
        chunk: the largest number of ids in one call.
        seeds: generator of the integer seeds; None: the seeds depend on the seed of the run and the
            ids, so that continuing with the same seed does not repeat points.
    """

    def __init__(
        self,
        algo: Algorithm,
        domain: Domain,
        trials: Any,
        chunk: int = 1,
        seeds: np.random.Generator | None = None,
    ) -> None:
        self._algo, self._domain, self._trials = algo, domain, trials
        self._chunk, self._seeds = chunk, seeds
        self._next: int | None = None
        self.learns = _unwrapped(algo)[0] is not rand

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """Return up to n rows, shape (<= n, d)."""
        if self._next is None:
            self._next = next_id(self._trials.records)
        self._next = max(self._next, self._trials.reserved())
        docs: list[Document] = []
        while len(docs) < n:
            ids = list(range(self._next, self._next + min(self._chunk, n - len(docs))))
            more = self._algo(ids, self._domain, self._trials, self._seed(rng))
            if len(more) > len(ids):
                raise InvalidArgument(
                    f"algo={self._algo!r} returned {len(more)} documents for {len(ids)} ids; it "
                    "must return at most one for each id"
                )
            for doc, id in zip(more, ids, strict=False):
                self._trials._expect(self._trials.assert_valid_trial(doc), id)
            docs += more
            self._next += len(more)
            if len(more) < len(ids):
                break
        rows = [space.encode(spec_from_misc(doc["misc"])) for doc in docs]
        return np.array(rows).reshape(len(rows), len(space))

    def _seed(self, rng: np.random.Generator) -> int:
        """Return the next seed for the algorithm. Seeds that earlier runs used are skipped."""
        if self._seeds is None:
            return int(rng.integers(2**31 - 1))
        seed = int(self._seeds.integers(2**31 - 1))
        while seed in self._trials.seeds:
            seed = int(self._seeds.integers(2**31 - 1))
        self._trials.seeds.add(seed)
        return seed
