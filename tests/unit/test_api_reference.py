"""docs/api.md has the parts that are made from the description of the API, and its links lead somewhere."""

from __future__ import annotations

import re

import pytest

from tests.support import api_reference

PAGE = api_reference.PAGE.read_text("utf-8")


@pytest.mark.parametrize("name", api_reference.parts())
def test_it_is_written_by_the_command(name: str) -> None:
    assert api_reference.part_in_page(name, PAGE) == api_reference.parts()[name]


def test_links_within_it_lead_to_headings() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    assert not set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) - headings
