"""Preprocessing of tables that hold more than numbers, as plain scikit-learn transformers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from sparktune.errors import InvalidArgument

DENSE = 50_000_000  # numbers up to which a sparse matrix becomes dense: 400 MB
WORDS = 1000  # of texts that are all there is
MOST_CATEGORIES = 30  # of a column that get a column of their own; the rare ones share one


def preparation_of(X: Any) -> Any:
    """An unfitted transformer that turns a table into numbers; None if X is numbers without gaps.

    Missing numbers become medians, with a column that marks them. Categories become columns of 0
    and 1, dates several numbers, texts the TF-IDF weights of their words. A sparse matrix becomes
    dense if it is small, because few models take sparse ones.

    Args:
        X: samples, (n_samples, n_features), as a DataFrame of pandas or of another library that has
            `to_pandas`, such as polars, an array or a sparse matrix; or texts, (n_samples,).

    Raises:
        InvalidArgument: several columns have the same name.
    """
    if not hasattr(X, "columns"):
        return _preparation_of_array(X)
    if not is_plain(X):
        # Older versions of scikit-learn do not know the names of the columns of every table.
        named = hasattr(FunctionTransformer().fit(X), "feature_names_in_")
        plain = FunctionTransformer(as_plain, feature_names_out="one-to-one" if named else None)
        inner = preparation_of(as_plain(X))
        return plain if inner is None else make_pipeline(plain, inner)
    kinds: dict[str, list[Any]] = {}
    for name, column in X.items():
        kinds.setdefault(_kind(column), []).append(name)
    if set(kinds) <= {"number"} and not X.isna().any(axis=None):
        return None
    if not X.columns.is_unique:
        twice = sorted(set(X.columns[X.columns.duplicated()]))
        raise InvalidArgument(f"columns of X must have different names; these come twice: {twice}")
    return _columns(kinds)


def _columns(kinds: Mapping[str, Sequence[Any]]) -> ColumnTransformer:
    """The transformer of columns, {kind: their names or numbers}."""
    steps: list[tuple[str, Any, Any]] = []
    for kind, names in kinds.items():
        if kind == "text":
            steps += [(f"text_{name}", _text(), name) for name in names]
        else:
            steps.append((kind, _STEPS[kind](), names))
    return ColumnTransformer(steps, sparse_threshold=0)


def _preparation_of_array(X: Any) -> Any:
    if hasattr(X, "tocsr"):
        small = math.prod(X.shape) <= DENSE
        return FunctionTransformer(as_dense, accept_sparse=True) if small else None
    array = np.asarray(X)
    if array.ndim == 1 and array.dtype.kind in "OU":
        return make_pipeline(_text(WORDS), FunctionTransformer(as_dense, accept_sparse=True))
    if array.ndim == 2 and array.dtype.kind in "OU":
        kinds: dict[str, list[int]] = {}
        for i, column in enumerate(array.T):
            kinds.setdefault(_kind_of_objects(column), []).append(i)
        return _columns(kinds)
    return (
        _gaps() if array.ndim == 2 and array.dtype.kind == "f" and np.isnan(array).any() else None
    )


def _kind(column: Any) -> str:
    """What a column holds: number, date, category or text."""
    kind = getattr(column.dtype, "kind", "O")
    if kind == "M":
        return "date"
    if kind in "biuf":
        return "number"
    known = () if str(column.dtype) == "category" else column.dropna()
    return "text" if _are_texts(known) else "category"


def _kind_of_objects(column: Any) -> str:
    """What a column of an array of objects holds: number, category or text."""
    try:
        column.astype(float)
    except (TypeError, ValueError):
        return "text" if _are_texts([it for it in column if it is not None]) else "category"
    return "number"


def _are_texts(values: Iterable[Any]) -> bool:
    """Whether values are sentences, most of them different, and not categories."""
    texts = [str(value) for value in values]
    words = sum(text.count(" ") + 1 for text in texts)
    return words > 3 * len(texts) and len(set(texts)) > MOST_CATEGORIES


def _gaps() -> Any:
    return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)


def _categories() -> Any:
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, sparse_output=False
    )
    return make_pipeline(FunctionTransformer(as_texts, feature_names_out="one-to-one"), encoder)


def _dates() -> Any:
    return make_pipeline(FunctionTransformer(as_numbers), _gaps())


def _text(words: int = 300) -> Any:
    return make_pipeline(
        FunctionTransformer(as_texts), TfidfVectorizer(max_features=words, sublinear_tf=True)
    )


def as_texts(X: Any) -> Any:
    """Values as texts, missing ones as "missing"."""
    values = np.asarray(X, dtype=object)
    texts = ["missing" if value is None or value != value else str(value) for value in values.flat]
    return np.array(texts, dtype=object).reshape(values.shape)


def as_dense(X: Any) -> Any:
    """A sparse matrix as an array."""
    return X.toarray() if hasattr(X, "tocsr") else X


def is_plain(X: Any) -> bool:
    """Whether a table is of pandas, and its columns of NumPy's types, categories or dates."""
    return hasattr(X, "isna") and all(_is_plain(dtype) for dtype in X.dtypes)


def _is_plain(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) or str(dtype).startswith(("category", "datetime64["))


def as_plain(X: Any) -> Any:
    """A table of pandas whose columns have NumPy's types; missing values are NaN, NaT or None."""
    table = X.copy(deep=False) if hasattr(X, "isna") else X.to_pandas()
    for name, dtype in table.dtypes.items():
        if not _is_plain(dtype):
            table[name] = _plain(table[name], dtype.kind)
    return table


def _plain(column: Any, kind: str) -> Any:
    """A column of a type of pandas or Arrow with one of NumPy's."""
    if kind == "M":
        return column.astype("datetime64[ns]")
    if kind in "biuf":
        return column.astype("float64")
    return column.astype(object).where(column.notna(), None)


def as_numbers(X: Any) -> Any:
    """Dates as numbers: days since 1970, month, day of the month, day of the week, hour."""
    columns = []
    for name in X.columns:
        dates = X[name].dt
        days = (X[name].dt.tz_localize(None) - np.datetime64(0, "s")).dt.total_seconds() / 86400
        columns += [days, dates.month, dates.day, dates.dayofweek, dates.hour]
    return np.column_stack([np.asarray(each, dtype=float) for each in columns])


_STEPS: dict[str, Any] = {
    "number": _gaps,
    "category": _categories,
    "date": _dates,
}
