"""Copied HTML as a list of its elements and texts, so that two copies can be compared."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []
        self.bare: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kept = {name: value for name, value in attrs if name != "style"}
        # Chromium wraps loose text in spans that carry nothing but the computed style, WebKit its spaces.
        added = kept.get("class") in ("Apple-interchange-newline", "Apple-converted-space")
        bare = tag == "meta" or (tag == "span" and not kept) or added
        if tag not in ("br", "img", "input", "meta"):
            self.bare.append(bare)
        if not bare:
            self.found.append((tag, kept))

    def handle_endtag(self, tag: str) -> None:
        if not self.bare.pop():
            self.found.append(("/" + tag, {}))

    def handle_data(self, data: str) -> None:
        if self.found and isinstance(self.found[-1], str):
            data = self.found.pop() + data
        self.found.append(re.sub(r"\s+", " ", data))


def markup(html: str) -> list[Any]:
    """Elements with their attributes, `style` left out, and text with its white space squeezed."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [piece for piece in reader.found if piece != " "]


def squeeze(text: str) -> str:
    return " ".join(text.split())
