"""Texts of trials as people see them."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text with every invisible character escaped, so that it can neither control a terminal nor
    imitate another line.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
