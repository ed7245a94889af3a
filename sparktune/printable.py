"""Escaping of texts from trials before they are shown."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with invisible characters escaped, so that it cannot control a terminal or imitate
    another line.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
