"""The channels a share can go through: one closed registry of names and codes.

Codes are part of every token ever minted: they are added, never changed. Codes below 32 are *dark* (the receiving
visit carries no referrer), codes from 32 on are *public* networks. Code 127 is not a channel but the session's mark.
"""

from __future__ import annotations

from typing import Final

DARK: Final = {
    "copy": 0, "address": 1, "native": 2, "link": 3, "qr": 4, "email": 5, "sms": 6, "whatsapp": 7, "telegram": 8,
    "messenger": 9, "signal": 10, "line": 11, "viber": 12, "wechat": 13, "slack": 14, "teams": 15, "discord": 16,
    "snapchat": 17, "instagram": 18, "kakaotalk": 19, "print": 20,
}  # fmt: skip
PUBLIC: Final = {
    "facebook": 32, "x": 33, "linkedin": 34, "reddit": 35, "pinterest": 36, "bluesky": 37, "mastodon": 38,
    "threads": 39, "hackernews": 40, "tumblr": 41, "vk": 42, "xing": 43, "weibo": 44, "flipboard": 45, "pocket": 46,
}  # fmt: skip

CODES: Final = DARK | PUBLIC
NAMES: Final = {code: name for name, code in CODES.items()}

PASTED: Final = frozenset(CODES[name] for name in ("email", "copy", "address", "native"))
"""The channels whose links are sent by mail: that of the mail button, and those whose links are pasted anywhere."""

USUAL: Final = (
    "native", "copy", "whatsapp", "telegram", "email", "x", "facebook", "linkedin",
    "sms", "reddit", "bluesky", "mastodon",
)  # fmt: skip
"""The channels whose tokens a visit is given that names none; the first eight are the widget's buttons."""

FIRST_PUBLIC: Final = 32
SESSION: Final = 127


def is_dark(code: int) -> bool:
    """Whether shares through the channel with this code leave no referrer."""
    return code < FIRST_PUBLIC
