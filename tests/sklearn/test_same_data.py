"""Whether continued candidates were scored on the same data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.svm import SVC

from sparktune import InvalidArgument, Serial
from sparktune.sklearn import SparkSearchCV
from sparktune.sklearn.same_data import check_data, fingerprint

X, y = make_classification(90, n_features=5, random_state=0)


def test_the_same_values_have_the_same_fingerprint() -> None:
    polars = pytest.importorskip("polars")
    named = pd.DataFrame({"size": X[:, 0], "kind": np.where(y, "big", "small")})
    mark = fingerprint(named, y)
    assert len(mark) == 32
    assert fingerprint(named.copy(), y.tolist()) == mark
    assert fingerprint(polars.from_pandas(named), polars.Series("target", y)) == mark
    for other in (named.assign(size=X[:, 1]), named.assign(kind="big"), named[["kind", "size"]]):
        assert fingerprint(other, y) != mark
        assert fingerprint(polars.from_pandas(other), y) not in ("", mark)


def test_a_journal_is_read_only_to_the_first_score(tmp_path: Any) -> None:
    path = tmp_path / "search.jsonl"
    SparkSearchCV(SVC(), {"C": [0.1, 1.0]}, n_iter=2, cv=2, on=Serial(), journal=path).fit(X, y)
    with path.open("a") as file:
        file.write("not a line of a journal\n")
    check_data(fingerprint(X, y), [], path)
    with pytest.raises(InvalidArgument, match="scored on other data"):
        check_data(fingerprint(X, 1 - y), [], path)
