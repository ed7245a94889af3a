"""What sparktune 0.1 made of the lines of a journal: what is written today stays readable there."""

from __future__ import annotations

import json
from typing import Any


def read(content: bytes) -> dict[Any, dict[str, Any]]:
    """The records by id, with the names of attachments; raises what 0.1 would have refused."""
    records: dict[Any, dict[str, Any]] = {}
    header: dict[str, Any] | None = None
    for line in content.splitlines():
        entry = json.loads(line)
        if "asked" in entry:
            for given in entry["asked"]:
                assert given.keys() <= {"id", "values", "asked", "budget"}
                records[given["id"]] = {"budget": 1.0} | given | {"status": "running"}
        elif "told" in entry:
            told = entry["told"]
            assert told.keys() <= {
                *("id", "status", "loss", "result", "failure", "attachments"),
                *("started", "finished", "log"),
            }
            records[told["id"]] |= told
        elif "run" in entry:
            assert entry["run"].keys() >= {"max_evals", "end"}
        elif "stopped" not in entry:
            assert entry.pop("sparktune") == 1
            assert entry.keys() <= {"objective", "seed", "space", "columns", "created", "options"}
            header = entry
        assert header is not None
    return records
