"""Texts and columns in a form that is safe in a page, whatever a journal contains.

`visible` and `lines` escape control characters, which could hide or reorder text. `text` also
escapes markup, and `data` makes JSON that cannot end its script.
"""

from __future__ import annotations

import base64
import json
from html import escape
from typing import Any

import numpy as np

from sparktune.printable import printable
from sparktune.results.series import Array, Whole

_LONGEST = 10_000  # characters of one text

_IN_SCRIPT = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def visible(value: Any) -> str:
    """One line of text, with escapes for invisible characters."""
    return printable(_cut(str(value)))


def lines(value: str) -> str:
    """Text of several lines, with escapes for invisible characters; only the end of a long one."""
    kept = value if len(value) <= _LONGEST else f"...{value[-_LONGEST:]}"
    return "\n".join(map(printable, kept.expandtabs(4).splitlines()))


def _cut(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."


def text(value: Any) -> str:
    """One line of text as markup."""
    return escape(visible(value))


def data(content: Any) -> str:
    """Content as JSON in which no text can begin or end a tag."""
    packed = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return packed.translate(_IN_SCRIPT)


def packed(column: Array | Whole, kind: str = "f8") -> dict[str, str]:
    """Numbers as {type: base64}: doubles, singles (f4) or small whole numbers (i2); NaN stays
    NaN.
    """
    with np.errstate(over="ignore"):
        little = column.astype(f"<{kind}")
    return {kind: base64.b64encode(little.tobytes()).decode()}
