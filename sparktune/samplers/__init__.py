"""Samplers: `suggest(space, history, n, rng) -> (n, d)` rows, a pure function of its arguments."""
