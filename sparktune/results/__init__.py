"""What a study found: one answer to each question, for everybody who shows results (handles,
notebooks, plots, reports, the command line).

    finished     what results are made of: a study as it stands, and what its values mean
    ranking      which trials are comparable, the best of them, its parameters
    table        the trials as columns, a pandas DataFrame, the best ones as rows
    failures     what went wrong, by cause, and where in the space
    noise        how far the best loss can be trusted
    summary      the whole in a few lines, all of it as HTML
    series       what pictures of whole runs show: losses, the best so far, slots over time
    scales       what pictures of single parameters show: axes, histograms, lines over parameters
    importance   how much each parameter explains
"""
