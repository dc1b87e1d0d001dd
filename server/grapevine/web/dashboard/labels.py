"""The words of the dashboard: names of channels, sources and verdicts, and the glossary."""

from __future__ import annotations

from typing import Final, NamedTuple

from grapevine.domain import channels
from grapevine.domain.tokens import LAST_N

_LABELS: Final = {
    "copy": "Copied link", "address": "Address bar", "native": "Share menu", "link": "Tracked link", "qr": "QR code",
    "email": "E-mail", "sms": "SMS", "whatsapp": "WhatsApp", "wechat": "WeChat", "kakaotalk": "KakaoTalk",
    "line": "LINE", "linkedin": "LinkedIn", "hackernews": "Hacker News", "vk": "VK", "xing": "XING",
    "chatgpt": "ChatGPT", "com.google.android.gm": "Gmail", "com.google.android.googlequicksearchbox": "Google app",
}  # fmt: skip

FAMILIES: Final = {
    "link": "copied", "made": "tracked links", "native": "share menu", "chat": "messengers", "team": "work chat",
    "mail": "e-mail", "paper": "printed", "public": "public networks",
}  # fmt: skip
_FAMILY_OF: Final = {
    "copy": "link", "address": "link", "link": "made", "native": "native", "email": "mail", "slack": "team",
    "teams": "team", "discord": "team", "qr": "paper", "print": "paper",
}  # fmt: skip


class Label(NamedTuple):
    """A name on the screen, and one sentence that explains it."""

    label: str
    text: str


SOURCES: Final = {
    "share": Label("Shared link", "Came with a valid share token."),
    "campaign": Label("Campaign", "The URL carried campaign (utm) parameters."),
    "search": Label("Search", "A search engine sent the visit."),
    "assistant": Label("AI assistant", "An AI assistant, such as ChatGPT or Perplexity, cited the page in an answer."),
    "social": Label("Social network", "A public network sent the visit, without a share token."),
    "messenger": Label("Messenger", "A messenger app named itself as the sender, without a share token."),
    "email": Label("E-mail", "A web mailer or mail app named itself as the sender."),
    "referral": Label("Other website", "A link on another website."),
    "internal": Label("This site", "A new tab opened from one of the site's own pages."),
    "direct-home": Label("Direct, home page", "No referrer, on the home page: typed or bookmarked."),
    "direct-deep": Label(
        "Direct, inner page",
        "No referrer, on an inner page: nobody types such a URL, so part of these visits came through shared links.",
    ),
    "link": Label("Tracked link", "A link created by the site itself."),
}

DROPS: Final = {
    "robot": Label("Robots", "Identified themselves as robots, so they are not counted as visitors."),
    "opted-out": Label(
        "Opted out", "The browser asked not to be tracked: the visit was counted, and nothing else was stored."
    ),
    "bad-origin": Label(
        "Foreign origin", "Sent by a page that is not on the site's list of origins. If it is yours, add its origin."
    ),
    "unknown-site": Label("Unknown site", "The data-site of the snippet is not a site of this server."),
    "malformed": Label("Malformed", "The report could not be read."),
    "invalid": Label("Invalid", "A field of the report had an invalid value."),
    "too-large": Label("Too large", "The report was larger than allowed."),
    "rate-limited": Label("Rate limited", "Too many reports from one network within a minute."),
    "busy": Label("Server busy", "The queue of the server was full; the widget sends such reports again."),
    "duplicate": Label("Repeats", "Stored already; the repeated report changed nothing."),
}

BOUNDS: Final = {
    "pages": Label(
        "Pages", "Visits and shares of new pages beyond the bound of a day; their page is shown as “(other)”."
    ),
    "goals": Label("Goals", "Conversions with new goals beyond the bound of a day; their goal is “(other)”."),
    "apps": Label("Apps", "Visits from unknown apps beyond the bound of a day; their app is “(other)”."),
    "answers": Label("Answers", "Refused: more answers in a day than the site takes."),
    "shares": Label(
        "Links to such pages",
        "Shares of pages beyond the bound whose short link leads to the home page, because one "
        "visit or network named too many of them.",
    ),
    "click-ids": Label("Click ids", "Visits with new click ids beyond the bound of a day; they decide no source."),
}

SUSPECTS: Final = {
    "driven": Label("Driven browsers", "Reported that a program controls them, as test tools do."),
    "scanner": Label("Mail scanners", "Opened the links of an e-mail before its reader could."),
    "replay": Label("Replayed links", "Opened one shared link far more often than a group of people does."),
}

MODELS: Final = {
    "first": Label("First", "All credit goes to the first share of the chain."),
    "last": Label("Last", "All credit goes to the last share, the one through which the buyer came."),
    "linear": Label("Linear", "Every share between the first visit and the buyer gets the same credit."),
    "position": Label(
        "Position",
        "The first and the last share get 40 % each, all others together 20 %; of two shares each gets half.",
    ),
}

REPORTERS: Final = {
    "key": Label("Your server", "With an API key: as reliable as your own records."),
    "page": Label("A page", "In the visitor’s browser, where any visitor can report what they like."),
}
REPORTED_BY_PAGES: Final = (
    "A conversion that your server reports replaces the one that a page reported under the same goal and id."
)

GLOSSARY: Final = {
    "Visit": "One arrival of a browser: the first page of a tab's session, or any page opened with another's token.",
    "Share": "One act of sharing: a copied link, a tap on a share button, a link taken from the address bar.",
    "Return": "A visit that arrived with a valid share token. "
    "A visit through one's own link is a self-return and is counted apart.",
    "Proven": "A share that led to a return. The page reports a share; the return proves it.",
    "Dark share": "The part of all shares that went through private channels, which leave no referrer.",
    "Return share": "The part of all visits that arrived through a share.",
    "K-factor": "Returns divided by visits without self-returns: how many further visits one visit brings. "
    "Above 1, sharing feeds itself.",
    "Amplification": "All visits divided by those that sharing did not bring. ×1.25 means: four visits grew into five.",
    "Same network": "Returns that look like the sharer's own network and browser: often a colleague, sometimes the "
    "sharer. A hint, no proof.",
    "Networks": "The networks (households, offices) from which returns came, each counted once a day. Many returns "
    "from few networks are colleagues, or bought.",
    "Cascade": "The whole tree that grows from one first visit, its root. The depth of a visit is the number of "
    "returns from the root to it; the breadth is the size of the largest generation.",
    "Structural virality": "The mean distance between any two visits of a cascade (Goel and others, 2016): "
    "near 2 when one post reached everybody, higher when the link went from person to person.",
    "Link preview": "A messenger's robot fetched a shared link (an unfurl): evidence of where it was pasted, "
    "but no visit.",
    "Direct visit": "A visit without referrer, campaign or token. On the home page it was typed or bookmarked; on "
    "inner pages, part of such visits came through shared links.",
    "Verdict": "The reason why a stored visit was probably not made by a person. Such a visit is in no other number.",
    "Spike": "A page with 20 returns in an hour or more, at least three times what its previous weeks let expect, "
    "and more than chance explains. A site gets at most one false alarm a quarter.",
    "Tracked link": "A link that the site made itself, for a newsletter, a poster or a person. Visits through it, and "
    "through what those visitors pass on, are its generations.",
    "Click": "A person opened a tracked link's short link; robots that draw previews are left out. The click proves no "
    "visit: that is a return.",
    "Answer": "What somebody wrote below “How did you hear about us?”, or told you. It is self-reported: beside "
    "it stands what was measured of the same visit, and both are never added up.",
    "Conversion": "A goal reached in a visit, such as an order or a sign-up, with what it was worth.",
}

HONESTY: Final = {
    "measured": "Reported by a page, or proven by a token that came back.",
    "evidence": "A trace such as a link preview. It proves no visit.",
    "estimated": "The result of a documented model, with an interval.",
    "self-reported": "Written by visitors themselves.",
}


def channel(name: str | int) -> str:
    """Returns the channel's name on the screen."""
    return _LABELS.get(str(name), str(name).capitalize())


def family(name: str | int) -> str:
    """Returns the channel's family, one of FAMILIES: all its channels have one colour."""
    if is_public(name):
        return "public"
    return _FAMILY_OF.get(str(name), "chat")


def is_public(name: str | int) -> bool:
    """Returns whether the channel is an open network; all others are dark."""
    return str(name) in channels.PUBLIC


def app(name: str) -> str:
    """Returns the name of an app that fetched a preview or brought visits. An Android package without a name stays."""
    return name if "." in name and name not in _LABELS else channel(name)


def source(name: str | int) -> Label:
    """Returns the label of a source of visits."""
    return SOURCES.get(str(name), Label(str(name), ""))


def drop(name: str) -> Label:
    """Returns the label of a drop reason."""
    return DROPS.get(name, Label(name, ""))


def suspect(name: str) -> Label:
    """Returns the label of a verdict that takes a visit out of the counts."""
    return SUSPECTS.get(name, Label(name, ""))


def nth(n: int) -> str:
    """Returns the ordinal of share number ``n`` (the first is 0)."""
    if n >= LAST_N:
        return f"{LAST_N + 1}th or later"
    return ("1st", "2nd", "3rd")[n] if n < 3 else f"{n + 1}th"


ANSWER_CLASSES: Final = {
    "friend": "A friend",
    "channel": "A network or app",
    "podcast": "A podcast",
    "event": "An event",
    "search": "A search",
    "assistant": "An AI assistant",
    "newsletter": "A newsletter",
    "press": "The press",
    "advertisement": "An advertisement",
    "known": "Knew it already",
    "other": "Something else",
}
"""The classes of answers to "how did you hear about us?"."""
