"""Measurements, run by hand: sparktune and its peers in the same run, compared by ratios."""
