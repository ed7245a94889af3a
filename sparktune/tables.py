"""Aliases from version 0.1 of functions that are now in `sparktune.results`."""

from sparktune.results.summary import counts, failures, html, summary
from sparktune.results.table import columns, frame, top_table

__all__ = ["columns", "counts", "failures", "frame", "html", "summary", "top_table"]
