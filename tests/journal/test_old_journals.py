"""Journals that sparktune 0.1 wrote, read today; and what is written today, read by 0.1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sparktune import Trials, fmin, hp, rand
from sparktune.events import Enqueued, Limit, apply, begin_of
from sparktune.journal.blobs import Blob
from sparktune.journal.journal import read
from sparktune.trial import Trial
from tests.journal import reader_of_0_1

OLD = Path(__file__).parent / "old"
EXPECTED = json.loads((OLD / "expected.json").read_text())


def plain(value: Any) -> Any:
    """A value as `expected.json` holds it."""
    if isinstance(value, Blob):
        return {"Blob": [value.kind, repr(value.load())]}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [plain(item) for item in value]
        return {"tuple": items} if isinstance(value, tuple) else items
    return repr(value) if isinstance(value, float) else value


def shown(trial: Trial) -> dict[str, Any]:
    failure = trial.failure
    return {
        "id": trial.id,
        "values": plain(dict(trial.values)),
        "status": trial.status.value,
        "budget": repr(trial.budget),
        "loss": plain(trial.loss),
        "result": plain(trial.result),
        "failure": failure and [failure.type, failure.message, failure.traceback],
        "asked": plain(trial.asked),
        "started": plain(trial.started),
        "finished": plain(trial.finished),
        "log": trial.log,
    }


@pytest.mark.parametrize("name", EXPECTED)
def test_an_old_journal_tells_what_it_told(name: str) -> None:
    expected, path = EXPECTED[name], OLD / name
    trials = Trials.load(path)
    assert [shown(trial) for trial in trials.records.values()] == expected["records"]
    assert {key: plain(value) for key, value in trials.attachments.items()} == expected[
        "attachments"
    ]
    header = trials.header
    assert header is not None
    assert (header.objective, header.seed) == (expected["objective"], expected["seed"])
    assert (list(trials.labels), trials.stop_reason) == (
        expected["labels"],
        expected["stop_reason"],
    )
    begun = begin_of(read(str(path)))
    assert begun is not None
    limit = begun.limit or Limit()
    assert (limit.max_evals, limit.end) == (expected["max_evals"], expected["end"])
    records: dict[int, Trial] = {}
    for event in read(str(path)):
        apply(records, event)
    assert [*map(shown, records.values())] == expected["records"]


@pytest.mark.parametrize("name", EXPECTED)
def test_an_old_journal_is_written_again_and_read_by_the_old_reader(
    name: str, tmp_path: Path
) -> None:
    trials = Trials.load(OLD / name)
    trials.save(tmp_path / "again.jsonl")
    again = reader_of_0_1.read((tmp_path / "again.jsonl").read_bytes())
    *lines, _torn = (OLD / name).read_bytes().split(b"\n")
    assert again == reader_of_0_1.read(b"\n".join(lines))
    assert Trials.load(tmp_path / "again.jsonl").header == trials.header


def test_the_old_reader_reads_a_run_of_today(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    space, trials = {"x": hp.uniform("x", 0, 1)}, Trials()
    points = [{"x": 0.25}, {"x": 0.5}]
    options: dict[str, Any] = {"journal": path, "points_to_evaluate": points, "verbose": False}
    fmin(lambda c: c["x"], space, rand.suggest, max_evals=5, trials=trials, seed=1, **options)
    assert {k: v["loss"] for k, v in reader_of_0_1.read(path.read_bytes()).items()} == {
        trial.id: trial.loss for trial in trials.records.values()
    }
    events = read(str(path))
    assert [each.trial.values for each in events if isinstance(each, Enqueued)] == points
