"""HTML building blocks of all sections. Arguments named `body` are markup; all others are texts,
which are escaped here.
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
    """One section.

    Args:
        kind: its class in the style sheet.
        title, caption, body: its content; the title is markup.
        scripted: whether it is hidden without scripts.
        raw: whether `caption` is markup.
        level: level of the heading.
    """
    classes = f"{kind} scripted" if scripted else kind
    said = f'<p class="caption">{caption if raw else text(caption)}</p>' if caption else ""
    return f'<section class="{classes}"><h{level}>{title}</h{level}>{said}{body}</section>'


def chart(script: str) -> str:
    """An empty element, into which a script draws."""
    return f'<div class="chart" data-chart="{script}"></div>'


def fallback(body: str) -> str:
    """Content that is shown until a script has drawn the chart before it."""
    return f'<div class="fallback">{body}</div>'


def details(title: str, body: str) -> str:
    """A body that is folded at first."""
    return f"<details><summary>{title}</summary>{body}</details>"


def items(said: Iterable[str]) -> str:
    """The items of a list; each is markup."""
    return "".join(f"<li>{each}</li>" for each in said)


def pairs(rows: Sequence[Sequence[str]]) -> str:
    """A table of pairs (name, value), one per row."""
    body = "".join(f"<tr><th>{text(k)}</th><td>{text(v)}</td></tr>" for k, v in rows)
    return f'<table class="pairs">{body}</table>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts with the names of its columns."""
    names = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    head = f"<thead><tr>{names}</tr></thead>"
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'


def block(value: str) -> str:
    """Preformatted text of several lines."""
    return f"<pre>{escape(lines(value))}</pre>"
