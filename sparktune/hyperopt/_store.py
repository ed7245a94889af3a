"""The documents of trials and the corresponding records, kept consistent.

Hyperopt's programs see a list of documents (`_dynamic_trials`). They append to it, remove from it
and change its documents. A run sees records by id. Changes of records are written into the
documents immediately; changes of documents are written into the records by `reconcile`.

The key of a record is the id of its document, unless another document already has that id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import replace
from typing import Any

from sparktune.documents import Document
from sparktune.hyperopt._documents import record
from sparktune.trial import Trial

Snapshot = tuple[Any, ...]


class Ids(set[Any]):
    """A set of ids. `next` is the smallest integer above all ids that were ever in it."""

    def __init__(self, ids: Iterable[Any] = ()) -> None:
        super().__init__()
        self.next = 0
        self.update(ids)

    def add(self, id: Any) -> None:
        """Add an id."""
        super().add(id)
        if isinstance(id, int):
            self.next = max(self.next, id + 1)

    def update(self, *others: Iterable[Any]) -> None:
        """Add ids."""
        for other in others:
            for id in other:
                self.add(id)

    def __ior__(self, other: Any) -> Ids:  # type: ignore[misc]
        self.update(other)
        return self


class Store:
    """Documents and their records, shared by all views of one `Trials`.

    Attributes:
        documents: all documents, in the order in which they were added.
        trials: the records by key.
        ids: ids that are, or were, in use or reserved.
        version: increases with each change.
    """

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.trials: dict[Any, Trial] = {}
        self.ids = Ids()
        self.version = 0
        self._by_key: dict[Any, Document] = {}
        self._copies: dict[Any, int] = {}  # number of documents with the same id
        self._known: dict[int, tuple[Any, Snapshot]] = {}  # by the Python id of the document

    def document(self, key: Any) -> Document:
        """Return the document of a record, given its key."""
        return self._by_key[key]

    def knows(self, doc: Document) -> bool:
        """Whether a document has a record."""
        known = self._known.get(id(doc))
        return known is not None and self._by_key.get(known[0]) is doc

    @property
    def untaken(self) -> bool:
        """Whether documents were added or removed since the last `reconcile`."""
        return len(self.documents) != len(self._known)

    def put(
        self,
        key: Any,
        trial: Trial,
        make: Callable[[Trial], Document],
        renew: Callable[[Document, Trial], None],
    ) -> None:
        """Store a record and write it into its document, which `make` creates if necessary."""
        doc = self._by_key.get(key)
        if doc is None:
            doc = make(trial)
            self.documents.append(doc)
        renew(doc, trial)
        self._keep(key, doc, trial)

    def adopt(self, doc: Document, key: Any = None) -> None:
        """Create the record of a document. If its id is in use, the record gets another key."""
        if self.knows(doc):
            self._forget(self._known[id(doc)][0])
        key = doc["tid"] if key is None else key
        while key in self.trials:
            copies = self._copies.get(doc["tid"], 1) + 1
            key, self._copies[doc["tid"]] = f"{doc['tid']}#{copies}", copies
        self._keep(key, doc, replace(record(doc), id=key))

    def reconcile(self) -> None:
        """Update the records for documents that were added, changed or removed."""
        present = set()
        for doc in self.documents:
            present.add(id(doc))
            if not self.knows(doc):
                self.adopt(doc)
            elif self._known[id(doc)][1] != _snapshot(doc):
                key = self._known[id(doc)][0]
                self._keep(key, doc, replace(record(doc), id=key))
        for identity in self._known.keys() - present:
            self._forget(self._known[identity][0])
        self.version += 1

    def remove(self, key: Any) -> None:
        """Remove a record and its document."""
        doc = self._by_key[key]
        self._forget(key)
        self.documents[:] = [each for each in self.documents if each is not doc]

    def _keep(self, key: Any, doc: Document, trial: Trial) -> None:
        self.trials[key] = trial
        self._by_key[key] = doc
        self._known[id(doc)] = (key, _snapshot(doc))
        self.ids.add(doc["tid"])
        self.version += 1

    def _forget(self, key: Any) -> None:
        self.trials.pop(key, None)
        doc = self._by_key.pop(key, None)
        self._known.pop(id(doc), None)
        self.version += 1


def _snapshot(doc: Document) -> Snapshot:
    """Return the parts of a document that programs change, in a form that is cheap to compare."""
    result = doc.get("result") or {}
    vals = doc["misc"].get("vals")
    return doc["state"], id(result), result.get("loss"), result.get("status"), id(vals)


class Records(MutableMapping[Any, Trial]):
    """A mapping from keys to the records of one experiment. Setting a record writes its document.

    Args:
        store: the store of the records.
        exp_key: the name of the experiment; None: all experiments.
        make: returns the document of a new record.
        renew: writes a record into its document.
    """

    def __init__(
        self,
        store: Store,
        exp_key: Any,
        make: Callable[[Trial], Document],
        renew: Callable[[Document, Trial], None],
    ) -> None:
        self._store, self._exp_key = store, exp_key
        self._make, self._renew = make, renew

    def __getitem__(self, key: Any) -> Trial:
        return self._store.trials[key]

    def __setitem__(self, key: Any, trial: Trial) -> None:
        self._store.put(key, trial, self._make, self._renew)

    def __delitem__(self, key: Any) -> None:
        self._store.remove(key)

    def __iter__(self) -> Iterator[Any]:
        if self._exp_key is None:
            return iter(list(self._store.trials))
        return iter([key for key in self._store.trials if self._is_mine(key)])

    def __len__(self) -> int:
        return len(self._store.trials) if self._exp_key is None else sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        return key in self._store.trials

    def _is_mine(self, key: Any) -> bool:
        mine: bool = self._store.document(key).get("exp_key") == self._exp_key
        return mine
