"""How visitors come to a page and share it: the real way, and the requests of their browsers."""

from __future__ import annotations

from typing import Final, NamedTuple

from grapevine.simulate.people import AgentString


class Arrival(NamedTuple):
    """A way to a page: ``truth`` is the real source, ``source`` what referrer or campaign show, None for nothing.

    ``app`` is the app that the referrer names, ``inside`` the one in whose browser the page opens.
    """

    truth: str
    source: str | None = None
    referrer: str = ""
    query: str = ""
    app: str | None = None
    inside: str | None = None
    goes_home: bool = False


class Destination(NamedTuple):
    """Where a link is pasted: how it is opened there, whether that is private, and which preview robot fetches it."""

    private: bool
    ways: tuple[tuple[float, Arrival], ...]
    previewer: str | None = None


class ChannelUse(NamedTuple):
    """Use of one channel: its weight, how often its links are opened (1 is the average), and where they are pasted."""

    weight: float
    opened: float
    places: tuple[tuple[float, str], ...]


ARRIVALS: Final = (
    (28, Arrival("search", "search", "https://www.google.com/")),
    (1, Arrival("assistant", "assistant", "https://chatgpt.com/", "utm_source=chatgpt.com", app="chatgpt")),
    (1, Arrival("assistant", "assistant", "https://www.perplexity.ai/", app="perplexity")),
    (3, Arrival("search", "search", "https://www.bing.com/")),
    (3, Arrival("search", "search", "https://duckduckgo.com/")),
    (1, Arrival("search", "search", "android-app://com.google.android.googlequicksearchbox/",
            app="com.google.android.googlequicksearchbox")),
    (4, Arrival("social", "social", "https://t.co/Q8fJ2sKxLm")),
    (4, Arrival("social", "social", "https://l.facebook.com/")),
    (3, Arrival("social", inside="facebook")),
    (3, Arrival("social", inside="instagram")),
    (3, Arrival("social", "social", "https://www.reddit.com/")),
    (2, Arrival("social", "social", "https://news.ycombinator.com/")),
    (2, Arrival("social", "social", "https://bsky.app/")),
    (5, Arrival("referral", "referral", "https://baker.example/blogroll/")),
    (3, Arrival("referral", "referral", "https://news.example/2026/links")),
    (5, Arrival("campaign", "campaign", query="utm_source=letter&utm_medium=email&utm_campaign=issue-14")),
    (2, Arrival("campaign", "campaign", "https://www.google.com/",
                "utm_source=google&utm_medium=cpc&utm_campaign=spring")),
    (2, Arrival("email", "email", "https://mail.google.com/")),
    (1, Arrival("email", "email", "https://outlook.live.com/")),
    (9, Arrival("typed", goes_home=True)),
    (3, Arrival("typed")),
    (5, Arrival("bookmark", goes_home=True)),
    (7, Arrival("bookmark")),
)  # fmt: skip

_SILENT: Final = Arrival("share")


def _share(source: str | None = None, referrer: str = "", app: str | None = None, inside: str | None = None) -> Arrival:
    return Arrival("share", source, referrer, app=app, inside=inside)


def _destination(previewer: str | None, *ways: tuple[float, Arrival], private: bool = True) -> Destination:
    return Destination(private, ways, previewer)


DESTINATIONS: Final = {
    "whatsapp": _destination("whatsapp", (1, _SILENT)),
    "telegram": _destination(
        "telegram", (3, _SILENT),
        (1, _share("messenger", "android-app://org.telegram.messenger/", app="telegram")),
    ),
    "slack": _destination("slack", (3, _SILENT), (1, _share("messenger", "android-app://com.slack/", app="slack"))),
    "teams": _destination(
        "teams", (3, _SILENT), (1, _share("messenger", "https://teams.microsoft.com/", app="teams"))
    ),
    "discord": _destination("discord", (3, _SILENT), (1, _share("messenger", "https://discord.com/", app="discord"))),
    "signal": _destination(None, (1, _SILENT)),
    "sms": _destination(None, (1, _SILENT)),
    "messenger": _destination("facebook", (1, _SILENT), (2, _share(inside="messenger"))),
    "line": _destination(None, (1, _SILENT), (1, _share(inside="line"))),
    "email": _destination(
        None, (3, _SILENT), (2, _share("email", "https://mail.google.com/")),
        (1, _share("email", "android-app://com.google.android.gm/", app="com.google.android.gm")),
    ),
    "facebook": _destination(
        "facebook", (2, _share("social", "https://l.facebook.com/")), (1, _share(inside="facebook")),
        private=False,
    ),
    "x": _destination("x", (1, _share("social", "https://t.co/Q8fJ2sKxLm")), private=False),
    "linkedin": _destination(
        "linkedin", (2, _share("social", "https://www.linkedin.com/")), (1, _share(inside="linkedin")),
        private=False,
    ),
    "reddit": _destination("reddit", (1, _share("social", "https://www.reddit.com/")), private=False),
    "paper": _destination(None, (1, _SILENT)),
}  # fmt: skip

_CHATS: Final = (
    (30, "whatsapp"), (12, "slack"), (8, "telegram"), (6, "discord"), (6, "teams"), (5, "signal"), (5, "sms"),
    (5, "messenger"), (3, "line"),
)  # fmt: skip

CHANNEL_USE: Final = {
    "copy": ChannelUse(40, 1.1, (*_CHATS, (15, "email"), (3, "reddit"))),
    "whatsapp": ChannelUse(18, 1.5, ((1, "whatsapp"),)),
    "native": ChannelUse(12, 1.0, _CHATS),
    "email": ChannelUse(9, 0.7, ((1, "email"),)),
    "telegram": ChannelUse(5, 1.2, ((1, "telegram"),)),
    "sms": ChannelUse(3, 1.0, ((1, "sms"),)),
    "slack": ChannelUse(3, 1.3, ((1, "slack"),)),
    "facebook": ChannelUse(4, 0.6, ((1, "facebook"),)),
    "x": ChannelUse(3, 0.5, ((1, "x"),)),
    "linkedin": ChannelUse(2, 0.6, ((1, "linkedin"),)),
    "reddit": ChannelUse(1, 1.8, ((1, "reddit"),)),
}
"""The buttons of the widget, and ``copy``."""

UNTAGGED: Final = (*_CHATS, (20, "email"), (2, "reddit"))
"""Where addresses copied from the address bar are pasted."""

USUAL: Final = sum(habit.weight * habit.opened for habit in CHANNEL_USE.values()) / sum(
    habit.weight for habit in CHANNEL_USE.values()
)
"""The mean of ``ChannelUse.opened`` over all shares."""

_PRIVATE_APPS: Final = frozenset({"messenger", "line", "telegram", "slack", "teams", "discord", "whatsapp"})


def shown(way: Arrival, agent: AgentString, is_home: bool) -> tuple[str, str | None]:
    """Returns (source, app) as the request alone shows them, for an arrival without a token."""
    if way.query and way.source != "assistant":  # an assistant tags its links with its own name
        return "campaign", agent.app
    if way.source is not None:
        return way.source, agent.app or way.app
    if agent.app is not None:
        return ("messenger" if agent.app in _PRIVATE_APPS else "social"), agent.app
    return ("direct-home" if is_home else "direct-deep"), None
