"""How people come to a page, and how they pass it on: what their browsers then tell, and what is behind it."""

from __future__ import annotations

from typing import Final, NamedTuple

from grapevine.simulate.people import Agent


class Way(NamedTuple):
    """A way to a page: ``truth`` is what it is, ``source`` what a referrer or campaign shows of it, if anything does.

    ``app`` is the app that the referrer names, ``inside`` the one in whose browser the page opens.
    """

    truth: str
    source: str | None = None
    referrer: str = ""
    query: str = ""
    app: str | None = None
    inside: str | None = None
    goes_home: bool = False


class Place(NamedTuple):
    """Somewhere a link is pasted: the ways in which it is opened there, whether in private, and who previews it."""

    private: bool
    ways: tuple[tuple[float, Way], ...]
    previewer: str | None = None


class Habit(NamedTuple):
    """How a channel of the widget is used: how often, how well it is opened (1 is the average), and where it ends."""

    weight: float
    opened: float
    places: tuple[tuple[float, str], ...]


ARRIVALS: Final = (
    (30, Way("search", "search", "https://www.google.com/")),
    (3, Way("search", "search", "https://www.bing.com/")),
    (3, Way("search", "search", "https://duckduckgo.com/")),
    (1, Way("search", "search", "android-app://com.google.android.googlequicksearchbox/",
            app="com.google.android.googlequicksearchbox")),
    (4, Way("social", "social", "https://t.co/Q8fJ2sKxLm")),
    (4, Way("social", "social", "https://l.facebook.com/")),
    (3, Way("social", inside="facebook")),
    (3, Way("social", inside="instagram")),
    (3, Way("social", "social", "https://www.reddit.com/")),
    (2, Way("social", "social", "https://news.ycombinator.com/")),
    (2, Way("social", "social", "https://bsky.app/")),
    (5, Way("referral", "referral", "https://baker.example/blogroll/")),
    (3, Way("referral", "referral", "https://news.example/2026/links")),
    (5, Way("campaign", "campaign", query="utm_source=letter&utm_medium=email&utm_campaign=issue-14")),
    (2, Way("campaign", "campaign", "https://www.google.com/", "utm_source=google&utm_medium=cpc&utm_campaign=spring")),
    (2, Way("email", "email", "https://mail.google.com/")),
    (1, Way("email", "email", "https://outlook.live.com/")),
    (9, Way("typed", goes_home=True)),
    (3, Way("typed")),
    (5, Way("bookmark", goes_home=True)),
    (7, Way("bookmark")),
)  # fmt: skip

_SILENT: Final = Way("share")


def _place(previewer: str | None, *ways: tuple[float, Way], private: bool = True) -> Place:
    return Place(private, ways, previewer)


PLACES: Final = {
    "whatsapp": _place("whatsapp", (1, _SILENT)),
    "telegram": _place(
        "telegram", (3, _SILENT),
        (1, Way("share", "messenger", "android-app://org.telegram.messenger/", app="telegram")),
    ),
    "slack": _place("slack", (3, _SILENT), (1, Way("share", "messenger", "android-app://com.slack/", app="slack"))),
    "teams": _place(
        "teams", (3, _SILENT), (1, Way("share", "messenger", "https://teams.microsoft.com/", app="teams"))
    ),
    "discord": _place("discord", (3, _SILENT), (1, Way("share", "messenger", "https://discord.com/", app="discord"))),
    "signal": _place(None, (1, _SILENT)),
    "sms": _place(None, (1, _SILENT)),
    "messenger": _place("facebook", (1, _SILENT), (2, Way("share", inside="messenger"))),
    "line": _place(None, (1, _SILENT), (1, Way("share", inside="line"))),
    "email": _place(
        None, (3, _SILENT), (2, Way("share", "email", "https://mail.google.com/")),
        (1, Way("share", "email", "android-app://com.google.android.gm/", app="com.google.android.gm")),
    ),
    "facebook": _place(
        "facebook", (2, Way("share", "social", "https://l.facebook.com/")), (1, Way("share", inside="facebook")),
        private=False,
    ),
    "x": _place("x", (1, Way("share", "social", "https://t.co/Q8fJ2sKxLm")), private=False),
    "linkedin": _place(
        "linkedin", (2, Way("share", "social", "https://www.linkedin.com/")), (1, Way("share", inside="linkedin")),
        private=False,
    ),
    "reddit": _place("reddit", (1, Way("share", "social", "https://www.reddit.com/")), private=False),
}  # fmt: skip

_CHATS: Final = (
    (30, "whatsapp"), (12, "slack"), (8, "telegram"), (6, "discord"), (6, "teams"), (5, "signal"), (5, "sms"),
    (5, "messenger"), (3, "line"),
)  # fmt: skip

HABITS: Final = {
    "copy": Habit(40, 1.1, (*_CHATS, (15, "email"), (3, "reddit"))),
    "whatsapp": Habit(18, 1.5, ((1, "whatsapp"),)),
    "native": Habit(12, 1.0, _CHATS),
    "email": Habit(9, 0.7, ((1, "email"),)),
    "telegram": Habit(5, 1.2, ((1, "telegram"),)),
    "sms": Habit(3, 1.0, ((1, "sms"),)),
    "slack": Habit(3, 1.3, ((1, "slack"),)),
    "facebook": Habit(4, 0.6, ((1, "facebook"),)),
    "x": Habit(3, 0.5, ((1, "x"),)),
    "linkedin": Habit(2, 0.6, ((1, "linkedin"),)),
    "reddit": Habit(1, 1.8, ((1, "reddit"),)),
}
"""The buttons of the widget, and ``copy``."""

UNTAGGED: Final = (*_CHATS, (20, "email"), (2, "reddit"))
"""Where addresses go that were copied out of the browser's address bar."""

USUAL: Final = sum(habit.weight * habit.opened for habit in HABITS.values()) / sum(
    habit.weight for habit in HABITS.values()
)
"""How well a share is opened on the average, in the measure of ``Habit.opened``."""

_PRIVATE_APPS: Final = frozenset({"messenger", "line", "telegram", "slack", "teams", "discord", "whatsapp"})


def shown(way: Way, agent: Agent, is_home: bool) -> tuple[str, str | None]:
    """(source, app) that somebody who sees nothing but the request can know of an arrival without a token."""
    if way.query:
        return "campaign", agent.app
    if way.source is not None:
        return way.source, agent.app or way.app
    if agent.app is not None:
        return ("messenger" if agent.app in _PRIVATE_APPS else "social"), agent.app
    return ("direct-home" if is_home else "direct-deep"), None
