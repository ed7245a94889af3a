"""The journal of a study: its events as lines of JSON, on disk before their results are used.

    {"sparktune": 1, "objective": ..., "seed": ..., "space": fingerprint, "columns": {...}, ...}
    {"asked": [{"id": 0, "values": {"x": 0.5}, "asked": seconds, ...}]}
    {"told": {"id": 0, "status": "ok", "loss": 0.25, "result": {...}, "finished": seconds, ...}}
    {"stopped": "timeout"}
    {"asked": [], "enqueued": [{"id": 7, "values": {"x": 1.5}, ...}]}
    {"run": {"max_evals": 50, "end": 50}}

The first line is the header. The trials of one `ask` are one line, so that a torn line undoes a
whole decision. Reading the lines gives the events of the study, in order.

    values    what JSON can hold, and what goes into files of its own
    blobs     the content of those files: pickled values
    places    where a journal and those files are
    files     how lines are written: to a file that grows, or to a place that takes whole objects
    lines     events as lines, and lines as events, every field of which is checked
    journal   a journal: read, continued, rewritten
"""
