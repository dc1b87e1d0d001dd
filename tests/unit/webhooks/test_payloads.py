"""The examples and tables of docs/webhooks.md have the fields that events have: no other ones, and none is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from grapevine.webhooks import payloads
from grapevine.webhooks.signing import EVENTS, event

PAGE: Final = (Path(__file__).resolve().parents[3] / "docs" / "webhooks.md").read_text("utf-8")
SECTIONS: Final[dict[str, tuple[str, type[msgspec.Struct]]]] = {
    "share.proven": ("A share is proven", payloads.ShareProven),
    "cascade.milestone": ("A milestone", payloads.CascadeMilestone),
    "conversion.created": ("A conversion", payloads.ConversionCreated),
    "answer.created": ("An answer", payloads.AnswerCreated),
    "mention.created": ("A mention", payloads.MentionCreated),
    "spike.detected": ("A spike", payloads.SpikeDetected),
    "site.silent": ("A silent site", payloads.SiteSilent),
}


def section(title: str) -> str:
    """The text under a heading."""
    found = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert found, title
    return found


def examples(text: str) -> Iterator[Any]:
    """The events that a text shows, in blocks of JSON and below the headers of a request."""
    for block in re.findall(r"```\w*\n(.*?)\n```", text, re.DOTALL):
        if '{"type"' in block:
            yield json.loads(block[block.index('{"type"') :])


def names(text: str) -> list[str]:
    """The names in the first columns of a text's tables."""
    return [
        name
        for cell in re.findall(r"^\| ([^|]*`[^|]*) \|", text, re.MULTILINE)
        for name in re.findall("`([^`]+)`", cell)
    ]


def fields(struct: type[msgspec.Struct]) -> list[str]:
    """The names that a struct has in JSON."""
    return [field.encode_name for field in msgspec.structs.fields(struct)]


def test_every_event_has_an_example_with_exactly_its_fields() -> None:
    assert SECTIONS.keys() == {*EVENTS}
    seen = set[str]()
    for example in examples(PAGE):
        struct = SECTIONS[example["type"]][1]
        read = msgspec.convert(example["data"], struct, strict=True)  # wrong types and missing fields are errors
        sent = event(1, example["type"], 0, read)
        assert example == json.loads(sent.payload) | {"timestamp": example["timestamp"]}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", example["timestamp"])
        seen.add(example["type"])
    assert seen == {*EVENTS}
    for name, (title, _) in SECTIONS.items():
        assert [example["type"] for example in examples(section(title))] == [name]


def test_the_tables_name_every_field_once() -> None:
    for title, struct in SECTIONS.values():
        assert sorted(names(section(title))) == sorted(fields(struct)), title
    of_all = names(section("Fields of all events"))
    for prefix, struct in (("via", payloads.ViaShare), ("link", payloads.OriginLink)):
        assert [name for name in of_all if name.startswith(f"{prefix}.")] == [
            f"{prefix}.{each}" for each in fields(struct)
        ]
