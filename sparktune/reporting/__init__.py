"""A report: studies as one HTML file that needs no server, no network and no other file.

    study.report("report.html")
    sparktune.report({"TPE": first, "random": second}, "report.html")

report      the function and what it returns: the text of the page, saved or shown in a notebook
page        the HTML document: security policy, style, scripts, and the sections of each study
sections    the parts that can be read without scripts: sentences, tables, pictures
trusting    the section about the reliability of the best loss: noise, corrected, held-out losses
comparison  the section that compares several studies
reproducing the section with the space, the best configuration as code, and versions
pictures    SVG pictures, which need no scripts
markup      HTML building blocks
content     the values of one study that the sections and scripts show
encoding    safe texts and columns for a page
assets      scripts and style, joined in the order of `page.SCRIPTS`
"""

from sparktune.reporting.report import Report, report

__all__ = ["Report", "report"]
