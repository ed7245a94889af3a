"""Plots of trials; matplotlib is imported when one is drawn."""

from sparktune.plots.hyperopt_style import (
    main_plot_1D_attachment,
    main_plot_histogram,
    main_plot_history,
    main_plot_vars,
)

__all__ = [
    "main_plot_1D_attachment",
    "main_plot_histogram",
    "main_plot_history",
    "main_plot_vars",
]
