"""The pictures that README and the documentation show: each is a page of the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, NamedTuple

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
MOST_BYTES: Final = 150_000


class Picture(NamedTuple):
    """A file in ``docs/images``, and what it shows.

    ``page`` is a path of the dashboard, or of the demo site for ``of="site"``; ``new site`` is one without a visit.
    The picture ends below the element ``until`` (a CSS selector), or at ``height`` CSS pixels.
    """

    file: str
    page: str
    of: Literal["dashboard", "new site", "site"] = "dashboard"
    theme: Literal["light", "dark"] = "light"
    width: int = 1180
    until: str | None = None
    height: int | None = None


PICTURES: Final = (
    Picture("dashboard.png", "/", until="[aria-labelledby=time]"),
    Picture("dashboard-dark.png", "/", theme="dark", until="[aria-labelledby=time]"),
    Picture("cascade.png", "/cascades/DEEPEST", until="[aria-labelledby=tree]"),
    Picture("direct.png", "/direct", until="[aria-labelledby=parts]"),
    Picture("conversions.png", "/conversions?model=position", until="[aria-labelledby=owed] .legend"),
    Picture("links.png", "/links/LINK", until=".generations"),
    Picture("waiting.png", "/", of="new site", until=".card"),
    Picture("magazine.png", "/", of="site", height=700),
)
