"""Texts of trials as people see them."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text in which all that is not a visible character stands as an escape, so that it can
    neither steer a terminal nor pretend to be another line.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
