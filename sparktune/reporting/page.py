"""The HTML document. Its security policy only allows its own script and style, and it loads no
other file.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from sparktune.reporting import comparison, reproducing, sections, trusting
from sparktune.reporting.content import Content
from sparktune.reporting.encoding import data, text

SCRIPTS = (
    "data",
    "format",
    "scale",
    "selection",
    "canvas",
    "colours",
    "history",
    "slices",
    "parallel",
    "timeline",
    "table",
    "filters",
    "main",
)
"""The scripts, each of which may use those before it."""


def page(contents: Sequence[Content], refresh: int | None = None) -> str:
    """The whole page. It reloads itself every `refresh` seconds; None: never."""
    title = "sparktune: " + ", ".join(content.name for content in contents)
    several = len(contents) > 1
    parts = [comparison.section(contents)] if several else []
    parts += [_study(content, i, several) for i, content in enumerate(contents)]
    packed = data({"studies": [content.data() for content in contents]})
    style, script = _style(), _script()
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    again = "" if refresh is None else f'<meta http-equiv="refresh" content="{refresh:d}">\n'
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        + again
        + f"<title>{text(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
        f"{''.join(parts)}\n</main>\n"
        f'<script type="application/json" id="data">{packed}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _study(content: Content, index: int, several: bool) -> str:
    """All sections of one study. If there are several studies, each can be folded."""
    body = "".join(
        each(content)
        for each in (
            sections.headline,
            sections.history,
            sections.importance,
            sections.parameters_of,
            trusting.trust,
            sections.trials,
            sections.timeline,
            sections.failures,
            reproducing.reproduce,
        )
    )
    if not several:
        head = f"<h1>{text(content.name)}</h1>"
        return f'<article class="study" data-study="{index}">{head}{body}</article>'
    opened = " open" if index == 0 else ""
    return (
        f'<details class="study" data-study="{index}"{opened}>'
        f"<summary><h1>{text(content.name)}</h1></summary>{body}</details>"
    )


@cache
def _style() -> str:
    return _asset("page.css")


@cache
def _script() -> str:
    body = "\n".join(_asset(f"{name}.js") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{body}\n}})();'


def _asset(name: str) -> str:
    found = (
        files("sparktune.reporting").joinpath("assets").joinpath(name).read_text(encoding="utf-8")
    )
    return found.replace("\r\n", "\n")


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
