"""What the dashboard calls things, and one plain sentence for each number."""

from __future__ import annotations

from typing import Final, NamedTuple

from grapevine.domain import channels
from grapevine.domain.tokens import LAST_N

_LABELS: Final = {
    "copy": "Copied link", "address": "Address bar", "native": "Share menu", "link": "Tracked link", "qr": "QR code",
    "email": "E-mail", "sms": "SMS", "whatsapp": "WhatsApp", "wechat": "WeChat", "kakaotalk": "KakaoTalk",
    "line": "LINE", "linkedin": "LinkedIn", "hackernews": "Hacker News", "vk": "VK", "xing": "XING",
}  # fmt: skip

FAMILIES: Final = {
    "link": "copied", "native": "share menu", "chat": "messengers", "team": "work chat", "mail": "e-mail",
    "paper": "printed", "public": "public networks",
}  # fmt: skip
_FAMILY_OF: Final = {
    "copy": "link", "address": "link", "link": "link", "native": "native", "email": "mail", "slack": "team",
    "teams": "team", "discord": "team", "qr": "paper", "print": "paper",
}  # fmt: skip


class Label(NamedTuple):
    """A name for people and the sentence that explains it."""

    label: str
    text: str


SOURCES: Final = {
    "share": Label("Shared link", "Came with a valid share token."),
    "campaign": Label("Campaign", "The URL carried campaign (utm) parameters."),
    "search": Label("Search", "A search engine sent the visit."),
    "social": Label("Social network", "A public network sent the visit, without a share token."),
    "messenger": Label("Messenger", "A messenger app named itself as the sender, without a share token."),
    "email": Label("E-mail", "A web mailer or mail app named itself as the sender."),
    "referral": Label("Other website", "A link on another website."),
    "internal": Label("This site", "A new tab opened from one of the site's own pages."),
    "direct-home": Label("Direct, home page", "No referrer, landed on the home page: typed, or a bookmark."),
    "direct-deep": Label(
        "Direct, inner page", "No referrer, yet deep in the site: nobody types such a URL, so part of it was shared."
    ),
    "link": Label("Tracked link", "A link minted by the site itself."),
}

DROPS: Final = {
    "robot": Label("Robots", "Named themselves as robots; they are no visitors."),
    "opted-out": Label(
        "Opted out", "The browser asked not to be followed: the visit was counted, and nothing else was kept."
    ),
    "bad-origin": Label(
        "Foreign origin", "Sent by a page that is not on the site's list of origins. If it is yours, add its origin."
    ),
    "unknown-site": Label("Unknown site", "The snippet's data-site is no site of this server."),
    "malformed": Label("Malformed", "Could not be read at all."),
    "invalid": Label("Invalid", "A field had a value that cannot be used."),
    "too-large": Label("Too large", "Larger than a report may be."),
    "rate-limited": Label("Rate limited", "Too many reports from one browser in a minute."),
    "busy": Label("Server busy", "More was waiting than the server takes on; the widget sends such reports again."),
    "duplicate": Label("Repeats", "Were stored already; repeating them changed nothing."),
}

SUSPECTS: Final = {
    "driven": Label("Driven browsers", "Said of themselves that a program drives them, as test tools do."),
    "scanner": Label("Mail scanners", "Opened the links of a mail before its reader could."),
    "replay": Label("Replayed links", "Opened one shared link again and again, as no group of people does."),
}

MODELS: Final = {
    "first": Label("First", "All credit to the first share of the chain, which brought everybody after it."),
    "last": Label("Last", "All credit to the last share, the one that the buyer came through."),
    "linear": Label("Linear", "The same credit to every share between the first visit and the buyer."),
    "position": Label(
        "Position",
        "40 % to the first share, 40 % to the last, 20 % to all between them; half and half where there are only two.",
    ),
}

GLOSSARY: Final = {
    "Visit": "One arrival of a browser: the first page of a tab's session, or any page opened with another's token.",
    "Share": "One act of sharing: a copied link, a tap on a share button, a link in the address bar that travelled.",
    "Return": "A visit that arrived with a valid share token. One's own link opened is a self-return, counted apart.",
    "Proven": "A share that somebody came back through. The page reports shares; a return is the proof.",
    "Dark share": "The part of all shares that went through private channels, which leave no referrer.",
    "Return share": "The part of all visits that arrived through a share.",
    "K-factor": "Returns divided by visits without self-returns: how many further visits one visit brings. "
    "Above 1, sharing feeds itself.",
    "Amplification": "All visits divided by those that sharing did not bring. ×1.25 means: four visits grew into five.",
    "Same network": "Returns that look like the sharer's own network and browser: often a colleague, sometimes the "
    "sharer. A mark, not a verdict.",
    "Cascade": "The whole tree that grows from one first visit, its root. Depth counts the returns above a visit, "
    "breadth the visits of the largest generation.",
    "Structural virality": "The mean distance between any two visits of a cascade (Goel and others, 2016): "
    "near 2 for one big broadcast, larger the more it went from friend to friend.",
    "Link preview": "A messenger's robot fetched a shared link (an unfurl): evidence of where it was pasted, no visit.",
    "Direct visit": "A visit without referrer, campaign or token. On the home page it was typed, or a bookmark; deep "
    "in the site part of it was shared.",
    "Verdict": "Why a stored visit is taken for none of a person. It takes the visit out of every count.",
    "Spike": "A page with 20 returns in an hour or more, at least three times what its own weeks before let expect, "
    "and more than chance explains: it raises at most one false alarm a quarter.",
    "Conversion": "A goal reached in a visit, such as an order or a sign-up, with what it was worth.",
}

HONESTY: Final = {
    "measured": "A report or a token that came back: it happened.",
    "evidence": "A trace that points somewhere, such as a link preview. It proves no visit.",
    "estimated": "A stated model's guess, with an interval.",
    "self-reported": "What visitors wrote themselves.",
}


def channel(name: str | int) -> str:
    """A channel's name for people."""
    return _LABELS.get(str(name), str(name).capitalize())


def family(name: str | int) -> str:
    """The group of channels that share a colour; one of FAMILIES."""
    if is_public(name):
        return "public"
    return _FAMILY_OF.get(str(name), "chat")


def is_public(name: str | int) -> bool:
    """Whether the channel is an open network; all others are dark."""
    return str(name) in channels.PUBLIC


def app(name: str) -> str:
    """An app that fetched a preview."""
    return channel(name)


def source(name: str | int) -> Label:
    """A source of visits."""
    return SOURCES.get(str(name), Label(str(name), ""))


def drop(name: str) -> Label:
    """A reason of drops."""
    return DROPS.get(name, Label(name, ""))


def suspect(name: str) -> Label:
    """A verdict that takes a visit out of the counts."""
    return SUSPECTS.get(name, Label(name, ""))


def nth(n: int) -> str:
    """Which act of sharing on its channel ``n`` (from 0) is."""
    if n >= LAST_N:
        return f"{LAST_N + 1}th or later"
    return ("1st", "2nd", "3rd")[n] if n < 3 else f"{n + 1}th"
