"""Results of a study, computed in one place for everything that shows them: study objects,
notebooks, plots, reports and the command line.

    finished     the input of all results: a study as it stands, and the names of its options
    ranking      the comparable trials, the best of them, its parameters
    table        the trials as columns, a pandas DataFrame, the best ones as rows
    failures     failed trials grouped by cause, and the region of the space in which trials fail
    noise        the standard error of the best loss
    summary      a study in one line, in a few lines, and as HTML
    series       data of plots of whole runs: losses, the best so far, slots over time
    scales       data of plots of single parameters: axes, histograms, parallel coordinates
    importance   the share of the variance of the loss that each parameter explains
"""
