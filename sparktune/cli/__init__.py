"""The command `sparktune`: runs the study of a study file, and shows the content of a journal.

main          arguments, exit codes, errors
study         the study file: reading, checking, changes by --set
tables        tables of TOML: reading, merging
references    objects that are named as `module:name` or `file.py:name`
signals       SIGTERM and SIGHUP, which end a run like Ctrl-C
following     a screen or a page that is updated while a run lasts
commands      run, show, plot, report, export, best, track
"""

from sparktune.cli.main import main

__all__ = ["main"]
