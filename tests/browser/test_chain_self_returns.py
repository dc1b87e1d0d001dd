"""Whose link is it: one's own browser is a self-return, a colleague's is a return, against the running demo."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.demo import ARRIVED, Demo, MakeReader
from tests.support.browsers import copy

NUMBERS = ("visits", "returns", "self_returns", "same_network_returns")
SHARED = "() => grapevine.url('copy')"
HEAR = "document.addEventListener('grapevine:return', event => { window.heard = event.detail })"


def token_in(url: str) -> str:
    return url[-23:]


def heard(page: Page) -> object:
    """The page's own report of the return."""
    return page.wait_for_function("() => window.heard").json_value()


def test_ones_own_link_in_another_tab_is_a_self_return_and_proves_nothing(demo: Demo, reader: MakeReader) -> None:
    person = reader()
    clean = demo.page("/articles/sixty-one-per-cent/")
    first = person.open(clean)
    token = token_in(first.evaluate(SHARED))
    copy(first, ".prose p:has(a[href^='/'])")
    person.wait(first, "shares")

    second = person.context.new_page()
    second.add_init_script(HEAR)
    person.open(f"{clean}#gv={token}", second)
    assert heard(second) == {"valid": True, "depth": 0, "self": True, "same_network": True, "channel": "copy"}
    assert second.url == clean
    assert person.paths == ["visits", "shares", "visits"]
    assert person.of("visits")[1]["own"] is True
    assert demo.numbers(clean, *NUMBERS) == [2, 0, 1, 0]
    share = demo.share(token)
    assert (share["reported"], share["proven"], share["returns"], share["self_returns"]) == (True, False, 0, 1)

    friend = reader(locale="de-DE")
    below = friend.open(second.evaluate(SHARED))
    chain = demo.get(f"/v1/tokens/{token_in(below.evaluate(SHARED))}")["chain"]
    visits = [page.evaluate(ARRIVED) for page in (first, below)]  # a self-return stands between, and not in the way
    assert [(visit["visit"], visit["depth"]) for visit in chain] == [(visits[0], 0), (visits[1], 1)]
    cascade = demo.get(f"/v1/cascades/{chain[0]['visit']}")
    assert [(node["visit"], node["parent"]) for node in cascade["nodes"]] == [(visits[0], None), (visits[1], visits[0])]
    assert cascade["size"] == 2


def test_ones_own_link_in_the_same_tab_is_nothing_new(demo: Demo, reader: MakeReader) -> None:
    person = reader()
    clean = demo.page("/articles/sixty-one-per-cent/")
    page = person.open(clean)
    link = page.evaluate(SHARED)
    page.goto(f"{demo.origin}/docs/")
    person.wait(page, "views")
    page.goto(link)
    person.wait(page, "views", 2)
    assert person.paths == ["visits", "views", "views"]
    assert page.url == clean
    assert demo.numbers(clean, *NUMBERS) == [1, 0, 0, 0]
    assert demo.share(token_in(link))["self_returns"] == 0


def test_a_colleague_with_the_same_browser_behind_the_same_address_is_a_return(demo: Demo, reader: MakeReader) -> None:
    sharer, colleague = reader(), reader()
    clean = demo.page("/articles/sixty-one-per-cent/")
    link = sharer.open(clean).evaluate(SHARED)
    page = colleague.context.new_page()
    page.add_init_script(HEAR)
    colleague.open(link, page)
    assert heard(page) == {"valid": True, "depth": 1, "self": False, "same_network": True, "channel": "copy"}
    assert [person.paths for person in (sharer, colleague)] == [["visits"], ["visits"]]
    assert "own" not in colleague.of("visits")[0]
    assert demo.numbers(clean, *NUMBERS) == [2, 1, 0, 1]
    share = demo.share(token_in(link))
    assert (share["proven"], share["returns"], share["self_returns"]) == (True, 1, 0)


def test_a_friend_elsewhere_is_a_return_from_another_network(demo: Demo, reader: MakeReader) -> None:
    sharer, friend = reader(locale="en-GB"), reader(locale="de-DE")
    clean = demo.page("/articles/sixty-one-per-cent/")
    page = friend.context.new_page()
    page.add_init_script(HEAR)
    friend.open(sharer.open(clean).evaluate(SHARED), page)
    assert heard(page) == {"valid": True, "depth": 1, "self": False, "same_network": False, "channel": "copy"}
    assert demo.numbers(clean, *NUMBERS) == [2, 1, 0, 0]


def test_a_token_that_was_tampered_with_is_a_visit_and_no_return(demo: Demo, reader: MakeReader) -> None:
    sharer, friend = reader(locale="en-GB"), reader(locale="de-DE")
    clean = demo.page("/articles/sixty-one-per-cent/")
    link = sharer.open(clean).evaluate(SHARED)
    page = friend.context.new_page()
    page.add_init_script(HEAR)
    friend.open(link[:-1] + ("0" if link[-1] != "0" else "1"), page)
    resolved = heard(page)
    assert isinstance(resolved, dict)
    assert (resolved["valid"], resolved["reason"]) == (False, "bad-signature")
    assert page.url == clean
    assert demo.numbers(clean, *NUMBERS) == [2, 0, 0, 0]
    assert demo.share(token_in(link))["proven"] is False
