"""The journal of a study: its events as lines of JSON, written before they take effect.

    {"sparktune": 1, "objective": ..., "seed": ..., "space": fingerprint, "columns": {...}, ...}
    {"asked": [{"id": 0, "values": {"x": 0.5}, "asked": seconds, ...}]}
    {"told": {"id": 0, "status": "ok", "loss": 0.25, "result": {...}, "finished": seconds, ...}}
    {"stopped": "timeout"}
    {"asked": [], "enqueued": [{"id": 7, "values": {"x": 1.5}, ...}]}
    {"run": {"max_evals": 50, "end": 50}}

The first line is the header. The trials of one `ask` are one line, so that an incomplete last line
never splits a decision. Reading the lines returns the events of the study, in order.

    values    conversion of Python values to JSON, or to separate files if JSON cannot hold them
    blobs     the separate files: pickled values
    places    the location of a journal and its separate files: a local path or a URL
    files     writers of lines: append to a file, or rewrite a whole object
    fields    the fields of the lines, and their valid values
    writing   conversion of events to lines
    reading   conversion of lines to events, with a check of every field
    journal   reading, continuing and rewriting a journal
    saved     whole journals, written and read in one step
"""

from sparktune.journal.journal import Journal, read

__all__ = ["Journal", "read"]
