"""The pictures that README and the documentation show: each is a page of the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, NamedTuple

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
MOST_BYTES: Final = 150_000


class Picture(NamedTuple):
    """A file in ``docs/images``, and what it shows.

    ``page`` is a path of the dashboard, or of the demo site for ``of="site"``; ``new site`` is one without a visit.
    ``height`` cuts the page off, in CSS pixels; None shows all of it.
    """

    file: str
    page: str
    of: Literal["dashboard", "new site", "site"] = "dashboard"
    theme: Literal["light", "dark"] = "light"
    width: int = 1180
    height: int | None = None


PICTURES: Final = (
    Picture("dashboard.png", "/", height=1262),
    Picture("dashboard-dark.png", "/", theme="dark", height=1262),
    Picture("cascade.png", "/cascades/DEEPEST", height=785),
    Picture("direct.png", "/direct", height=1000),
    Picture("conversions.png", "/conversions?model=position", height=1060),
    Picture("waiting.png", "/", of="new site"),
    Picture("magazine.png", "/", of="site", height=700),
)
