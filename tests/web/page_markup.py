"""Parses a page into headings, tables and text; refuses markup whose elements do not nest."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "input", "img", "br", "wbr"}


class Page(HTMLParser):
    """One parsed page. ``tables`` are rows of cell texts by caption; ``attributes`` all (element, name, value)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self.headings: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self._caption = ""
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"
        self.text = " ".join(self.text.split())
        self.headings = [" ".join(heading.split()) for heading in self.headings]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Part of HTMLParser."""
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.text += " "
        if tag not in VOID:
            self._open.append(tag)
        if tag == "h1":
            self.headings.append("")
        if tag == "table":
            self._caption = ""
        if tag == "tr":
            self.tables.setdefault(self._caption, []).append([])
        if tag in ("td", "th"):
            self.tables[self._caption][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Part of HTMLParser."""
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Part of HTMLParser."""
        assert self._open, f"</{tag}> closes nothing"
        opened = self._open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"
        self.text += " "

    def handle_data(self, data: str) -> None:
        """Part of HTMLParser."""
        self.text += data if "title" not in self._open else ""
        if "caption" in self._open:
            self._caption += data
        elif {"td", "th"} & set(self._open):
            self.tables[self._caption][-1][-1] += data.strip()
        if "h1" in self._open:
            self.headings[-1] += data

    def values(self, element: str, name: str) -> list[str]:
        """The values of one attribute."""
        return [value for tag, key, value in self.attributes if (tag, key) == (element, name)]
