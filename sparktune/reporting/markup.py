"""Pieces of markup, from which all sections are made. Arguments called `body` are markup; all
others are text, which is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from sparktune.reporting.encoding import lines, text


def section(
    kind: str,
    title: str,
    caption: str,
    body: str,
    *,
    scripted: bool = False,
    raw: bool = False,
    level: int = 2,
) -> str:
    """One section; `caption` is text, or markup if `raw`; `scripted`: of no use without scripts;
    `level`: of its heading.
    """
    classes = f"{kind} scripted" if scripted else kind
    said = f'<p class="caption">{caption if raw else text(caption)}</p>' if caption else ""
    return f'<section class="{classes}"><h{level}>{title}</h{level}>{said}{body}</section>'


def chart(script: str) -> str:
    """A place that a script fills."""
    return f'<div class="chart" data-chart="{script}"></div>'


def fallback(body: str) -> str:
    """What is shown until a script has drawn the chart before it."""
    return f'<div class="fallback">{body}</div>'


def details(title: str, body: str) -> str:
    """A body that is folded until it is opened."""
    return f"<details><summary>{title}</summary>{body}</details>"


def items(said: Iterable[str]) -> str:
    """Items of a list, which are markup."""
    return "".join(f"<li>{each}</li>" for each in said)


def pairs(rows: Sequence[Sequence[str]]) -> str:
    """Facts, one a row."""
    body = "".join(f"<tr><th>{text(k)}</th><td>{text(v)}</td></tr>" for k, v in rows)
    return f'<table class="pairs">{body}</table>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text under their names."""
    names = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    head = f"<thead><tr>{names}</tr></thead>"
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'


def block(value: str) -> str:
    """Text of several lines, as it is written."""
    return f"<pre>{escape(lines(value))}</pre>"
