"""A minted link as the terminal shows it, by the names that its maker gave it."""

from __future__ import annotations

from grapevine.analytics.links import LinkNames


def described(link: LinkNames) -> str:
    """Returns the label of a link with its other names; its token where it has none."""
    names = [
        f"{what} {text}" for what, text in (("campaign", link.campaign), ("external id", link.external_id)) if text
    ]
    named = ", ".join([f"“{link.label}”", *names] if link.label else names)
    return named or link.token
