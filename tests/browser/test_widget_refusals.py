"""What the console says of a refusal: one plain sentence, once a page and kind."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.sync_api import Page

from grapevine.collect.refusals import explained, foreign_page, refuse_excess_reports, unknown_site
from grapevine.errors import Invalid, Problem, RateLimited, TooLarge
from grapevine.web.public.collect import failure
from tests.browser.fake_collect_api import Recorder, until
from tests.support.page_server import Site


def too_many() -> Problem:
    with pytest.raises(RateLimited) as caught:
        refuse_excess_reports(1)
    return caught.value


REFUSALS: Final[dict[str, Problem]] = {
    "wrong key": unknown_site("SITE_KEY"),
    "foreign page": foreign_page("https://shop.example", "abcdefgh"),
    "page without an address": foreign_page("null", "abcdefgh"),
    "too many": too_many(),
    "too large": TooLarge("It has more than 8,192 bytes."),
    "a wrong value": Invalid.of("value", "must be a decimal number"),
}
OF_THE_SITE: Final = ("unknown-site", "bad-origin")
"""What every page of the site would be refused for: a page asks once, not once a route."""
EXPERT_WORDS: Final = (
    "CORS HTTP 4\\d\\d header endpoint request response payload body JSON POST null undefined token session host "
    "domain origin rate.limit"
).split()
"""Words that a shop owner would have to look up; what stands in a command is copied, not read."""


def lines_of(page: Page) -> list[str]:
    """The console's lines of the widget, as they come."""
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text) if "grapevine" in message.text else None)
    return lines


@pytest.mark.parametrize("problem", REFUSALS.values(), ids=list(REFUSALS))
def test_the_console_says_once_what_was_refused_why_and_what_to_do(
    page: Page, site: Site, recorder: Recorder, problem: Problem
) -> None:
    lines = lines_of(page)
    answer = failure(problem)
    recorder.refusal = answer.status_code, dict(answer.headers), bytes(answer.body).decode()
    page.goto(site.page("/p"))
    recorder.wait(page, "visits")
    until(page, lambda: lines)
    page.evaluate("() => history.pushState(null, '', '/q')")
    if problem.code in OF_THE_SITE:
        page.wait_for_timeout(1400)  # a route waits at most a second for its title
        assert len(recorder.of("visits")) == 1
        page.goto(site.page("/p"))
    recorder.wait(page, "visits", 2)
    pages = 2 if problem.code in OF_THE_SITE else 1
    until(page, lambda: len(lines) >= pages)
    page.wait_for_timeout(100)
    sentence = explained(problem).detail
    assert lines == [f"grapevine {sentence}"] * pages
    read_aloud = re.sub(r"`[^`]*`|grapevine site set .*|GRAPEVINE_\w+|data-site", "", sentence)
    assert not [word for word in EXPERT_WORDS if re.search(rf"\b{word}\b", read_aloud)], read_aloud
    assert re.fullmatch(r"[A-Z].*[.\w]", sentence)


def test_each_kind_is_said_once_and_every_page_says_its_own(page: Page, site: Site, recorder: Recorder) -> None:
    lines = lines_of(page)
    page.goto(site.page("/p"))
    page.wait_for_function("() => window.grapevine?.visit")
    said = []
    for name in ("too large", "a wrong value", "too large", "wrong key"):
        answer = failure(REFUSALS[name])
        recorder.refusal = answer.status_code, dict(answer.headers), bytes(answer.body).decode()
        count = len(recorder.of("conversions"))
        page.evaluate("() => grapevine.convert('order')")
        recorder.wait(page, "conversions", count + 1)
        said.append(f"grapevine {explained(REFUSALS[name]).detail}")
    until(page, lambda: len(lines) == 3)
    page.wait_for_timeout(100)
    assert lines == [said[0], said[1], said[3]]
    page.reload()
    until(page, lambda: len(lines) == 4)
    assert lines[3] == said[3]


def test_answers_without_a_sentence_add_no_line(page: Page, site: Site, recorder: Recorder) -> None:
    lines = lines_of(page)
    recorder.refusal = 202, {"Grapevine-Dropped": "robot"}, "{}"
    page.goto(site.page("/p"))
    recorder.wait(page, "visits")
    page.wait_for_timeout(100)
    assert lines == []
