"""The languages of the page about a link: one file each in ``texts/``."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from grapevine.domain.channels import NAMES
from grapevine.domain.tokens import LAST_N
from grapevine.web.dashboard import labels

ENGLISH: Final = "en"

_CHOICE: Final = re.compile(r"([a-z]{1,8}|\*)(?:-[0-9a-z]{1,8})*(?:;q=([01](?:\.\d{0,3})?))?", re.ASCII)


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All texts of the page. Names in braces are replaced; ``first`` is a month's first day; ``channels`` are those
    that no app has given a name; ``erase_button`` is the text of the widget's button."""

    title: str
    lead: str
    says: str
    day: str
    day_value: str
    way: str
    nth: str
    nth_value: str
    visit: str
    visit_value: str
    signature: str
    signature_value: str
    not_said: str
    opened: str
    opened_text: str
    rather_not: str
    rather_not_text: str
    erase: str
    erase_own: str
    erase_any: str
    erase_button: str
    contact_mail: str
    contact_mail_text: str
    contact_page: str
    contact_page_text: str
    contact_none: str
    mail_subject: str
    mail_body: str
    owner: str
    owner_text: str
    footer: str
    bad_title: str
    bad_text: str
    date_form: str
    first: str = "1"
    months: list[str]
    channels: dict[str, str]
    minted: dict[str, str]
    """What stands instead of some of the other texts where the site's owner made the link."""

    def of_minted(self) -> Words:
        """Returns the texts about a link that the site's owner made."""
        return msgspec.structs.replace(self, **self.minted)

    def calendar(self, day: date) -> str:
        """Returns a date with the name of its month."""
        number = self.first if day.day == 1 else str(day.day)
        return self.date_form.format(day=number, month=self.months[day.month - 1], year=day.year)

    def channel(self, code: int) -> str:
        """Returns the name of a channel."""
        name = NAMES[code]
        return self.channels.get(name) or labels.channel(name)


def nth(n: int) -> str:
    """Returns the number of a share, counted from 1; the last number of a token also stands for all later ones."""
    return f"{n + 1}+" if n == LAST_N else str(n + 1)


@cache
def languages() -> dict[str, Words]:
    """Returns all languages by tag."""
    folder = files(__package__).joinpath("texts")
    return {
        file.name.removesuffix(".toml"): msgspec.convert(tomllib.loads(file.read_text("utf-8")), Words)
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


def preferred(accepted: str) -> str:
    """Returns the best language for an ``Accept-Language`` header (RFC 9110, 12.5.4); English when none fits."""
    choices = [_CHOICE.fullmatch(piece.strip().replace(" ", "")) for piece in accepted.lower().split(",")]
    found = [(float(choice[2] or 1), choice[1]) for choice in choices if choice]
    for liking, tag in sorted(found, key=lambda each: -each[0]):
        if liking and tag in languages():
            return tag
        if liking and tag == "*":
            break
    return ENGLISH
