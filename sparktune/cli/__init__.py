"""The command `sparktune`: runs a study that a file describes, and shows what its journal holds.

main          arguments, exit codes, errors
study         the study file: read, checked, changed by --set
references    functions and spaces named as `module:name` or `file.py:name`
signals       SIGTERM and SIGHUP end a run as Ctrl-C does
following     a screen or a page, updated while a run lasts
commands      run, show, plot, report, export, best, track
"""

from sparktune.cli.main import main

__all__ = ["main"]
