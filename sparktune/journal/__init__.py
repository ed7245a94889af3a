"""The journal of a study: its events as lines of JSON, on disk before their results are used.

    {"sparktune": 1, "objective": ..., "seed": ..., "space": fingerprint, "columns": {...}, ...}
    {"asked": [{"id": 0, "values": {"x": 0.5}, "asked": seconds, ...}]}
    {"told": {"id": 0, "status": "ok", "loss": 0.25, "result": {...}, "finished": seconds, ...}}
    {"stopped": "timeout"}

The first line is the header. What one `ask` handed out is one line, so that a torn line takes back
a whole decision. Reading the lines in order gives the records that the study had.

    values    what JSON can hold, and what goes into files of its own
    files     where the bytes are: files that grow, and places where only whole objects can be put
    journal   the lines: read, written, checked
"""
