"""A report: studies as one HTML file that needs no server, no network and no other file.

    study.report("report.html")
    sparktune.report({"TPE": first, "random": second}, "report.html")

report      the function and what it returns: the text of the page, saved or shown in a notebook
page        the document: policy, style, scripts, and the sections of each study
sections    what is readable without scripts: sentences, tables, pictures
trusting    how far the best loss can be trusted: noise, corrected and held-out losses
pictures    drawings in SVG for places without scripts, paper and comparisons
content     the numbers that scripts draw from
encoding    texts and columns as they may stand in a page
assets      scripts and style, joined in the order of `page.SCRIPTS`
"""

from sparktune.reporting.report import Report, report

__all__ = ["Report", "report"]
