"""``/go/{word}``: which site gets a word, what leads to its link, and what a word that leads nowhere costs."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from grapevine.background.cleanup import tidy
from grapevine.collect.rate_limit import WIDE_FACTOR, WORDS
from grapevine.config.settings import Settings
from grapevine.domain.ids import DAY_MS
from grapevine.links import refused_words
from grapevine.links.words import MOST_WORDS
from grapevine.store.repositories.link_words import WordOfLink
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server, serving
from tests.web.api.test_read_api import KeyClient, with_key
from tests.web.backend_pair import change

pytestmark = pytest.mark.anyio

PAGE: Final = f"{ORIGIN}/spring"
OTHER: Final = "https://b.example"
TAKEN: Final = "is taken on this server, or looks or sounds too much like a word that is"
TWICE: Final = "looks or sounds too much like the word of another link in this call"


async def shop_of(server: Server, scope: str = "admin") -> KeyClient:
    return await with_key(server, f"shop-{scope}", scope=scope)


async def rival_of(server: Server) -> KeyClient:
    await server.add_site("site-b", OTHER)
    return await with_key(server, "rival", site_id=2, scope="admin")


async def made(shop: KeyClient, word: str, url: str = PAGE) -> Any:
    response = await shop.http.post("/v1/links", json={"url": url, "word": word})
    assert response.status_code == 201, response.text
    return response.json()


async def refusal(shop: KeyClient, *words: str, url: str = PAGE) -> dict[str, str]:
    """Why words are refused, by field."""
    wanted = [{"url": url, "word": word} for word in words]
    response = await shop.http.post("/v1/links", json={"links": wanted} if len(wanted) > 1 else wanted[0])
    assert response.status_code == 422, response.text
    return {error["field"]: error["detail"] for error in response.json()["errors"]}


async def leads(server: Server, word: str) -> str | None:
    response = await server.http.get(f"/go/{word}")
    assert response.status_code == (302 if "location" in response.headers else 404)
    return str(response.headers["location"]) if response.status_code == 302 else None


@BOTH_BACKENDS
async def test_a_word_belongs_to_one_link_of_the_server(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, rival = await shop_of(server), await rival_of(server)
    link = await made(shop, "Summer-Sale")
    assert link["word"] == "summer-sale"
    assert link["short_url"].endswith("/go/summer-sale")
    for word in (
        "summer-sale",
        "SUMMER-SALE",
        "summersale.",
        "5ummer-sa1e",
        "%22surnrner-sale%22",
        "summer%E2%80%94sale",
    ):
        assert await leads(server, word) == link["url"], word
    for word in (
        "summer",
        "summer-sales",
        "summer/sale",
        "summer-sale/x",
        "",
        "%00",
        "%ff",
        "s" * 3_000,
        "%F0%9F%8C%9E",
    ):
        assert await leads(server, word) is None, word
    for asker, url in ((shop, PAGE), (rival, f"{OTHER}/x")):
        assert await refusal(asker, "surnrner-sale", url=url) == {"word": TAKEN}
    assert await refusal(shop, "autumn", "w1nter", "Winter") == {"links[2].word": TWICE}
    assert await refusal(shop, "autumn", "summersale", "login") == {
        "links[2].word": "is reserved: people are tricked out of passwords and money with such words"
    }
    assert await refusal(shop, "autumn", "summersale", "spring") == {"links[1].word": TAKEN}
    assert await leads(server, "autumn") is None  # all are made or none
    with monkeypatch.context() as patch:
        patch.setattr(refused_words, "MOST_AN_HOUR", 1 + 3 + 3)  # those of the calls with words that are taken
        assert (await shop.http.post("/v1/links", json={"url": PAGE, "word": "spring"})).status_code == 429
        assert (await shop.http.post("/v1/links", json={"url": PAGE})).status_code == 201
    answers = await asyncio.gather(
        *(
            each.http.post("/v1/links", json={"url": url, "word": "autumn"})
            for each, url in ((shop, PAGE), (rival, OTHER))
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    (got,) = [answer.json() for answer in answers if answer.status_code == 201]
    assert await leads(server, "Autumn") == got["url"]
    writer = await shop_of(server, "write")
    forbidden = await writer.http.post("/v1/links", json={"url": PAGE, "word": "spring"})
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "forbidden")


@BOTH_BACKENDS
async def test_a_deleted_word_is_kept_from_other_sites_for_ninety_days(server: Server) -> None:
    shop, rival = await shop_of(server), await rival_of(server)
    links, at = [await made(shop, word) for word in ("summer", "winter")], server.clock.now
    for link in links:
        assert (await shop.http.delete(f"/v1/links/{link['token']}")).status_code == 204
    assert await leads(server, "summer") is None
    server.clock.now = at + 90 * DAY_MS - 1
    await tidy(server.store, server.clock.now)
    assert await refusal(rival, "summer", url=OTHER) == {"word": TAKEN}
    again = await made(shop, "sumrner")  # its own site may have it again at once, in another spelling
    assert await leads(server, "summer") == again["url"]
    server.clock.now += 1
    won = await made(rival, "w1nter", OTHER)
    assert await leads(server, "winter") == won["url"]
    assert (await rival.http.delete(f"/v1/links/{won['token']}")).status_code == 204
    for days, left in ((89, 2), (90, 1)):
        await tidy(server.store, server.clock.now + days * DAY_MS)
        assert await server.store.look("SELECT count(*) FROM link_words") == [(left,)]


@BOTH_BACKENDS
async def test_a_site_has_a_thousand_words_at_most(server: Server) -> None:
    shop, rival = await shop_of(server), await rival_of(server)
    async with server.store.batch() as batch:
        await batch.words.take([WordOfLink(number, 1, number) for number in range(MOST_WORDS - 1)], 0)
    await change(server, [f"UPDATE link_words SET visit_id = NULL, freed_at = {server.clock.now} WHERE word_key < 500"])
    too_many = "is one too many: a site has at most 1,000 words, with those that were deleted in the last 90 days"
    assert await refusal(shop, "spring", "summer") == {"links[1].word": too_many}
    await made(shop, "spring")
    assert await refusal(shop, "summer") == {"word": too_many}
    await made(rival, "summer", OTHER)


@BOTH_BACKENDS
async def test_a_word_that_leads_nowhere_costs_the_same_statements(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, rival = await shop_of(server), await rival_of(server)
    await made(shop, "summer")
    await made(rival, "winter", OTHER)
    await change(server, ["UPDATE link_words SET visit_id = NULL, freed_at = 1 WHERE site_id = 2"])
    await leads(server, "summer")  # sites are read
    asked: list[tuple[str, list[str]]] = []

    def noted(real: Any) -> Any:
        async def run(name: str, /, rows: Any = None, **params: Any) -> Any:
            asked.append((name, sorted(params)))
            return await real(name, rows, **params)

        return run

    shares = server.store.quick.shares
    for reader, method in ((server.store.link_words, "_read"), (shares, "_run"), (vars(shares)["_pages"], "_run")):
        monkeypatch.setattr(reader, method, noted(getattr(reader, method)))
    costs = []
    for word in ("summer", "SUMMER.", "winter", "autumn", "login", "a", "", "%00", "х", "x" * 3_000):
        asked.clear()
        await server.http.get(f"/go/{word}")
        costs.append([*asked])
    assert [name for name, _ in costs[0]] == ["link_of_word", "followed_link"]
    assert costs == [costs[0]] * len(costs)


async def test_guessing_words_is_limited_by_network(database: str, anyio_backend: str) -> None:
    assert anyio_backend == "asyncio"
    settings = Settings(database=database, secret_keys=(b"k" * 32,), rate_limit=100_000)
    async with serving(settings) as server:
        await server.add_site("site-a", ORIGIN)
        link = await made(await shop_of(server), "summer")
        people, guesser = server.browser("192.0.2.1"), server.browser("192.0.2.2", Accept="text/html")
        for _ in range(2 * WORDS):
            assert (await people.get("/go/summer")).headers["location"] == link["url"]  # these cost nothing
        assert [(await guesser.get(f"/go/guess-{number}")).status_code for number in range(WORDS)] == [404] * WORDS
        for path in ("/go/guess", "/go/summer", "/go/guess/qr.svg", "/go/summer/qr.png"):
            refused = await guesser.get(path)
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) == 2
            assert "Wait 2 s" in refused.text
        assert (await people.get("/go/winter")).status_code == 404
        server.clock.now += 2_000
        assert [(await guesser.get("/go/summer")).status_code for _ in range(3)] == [302] * 3
        assert [(await guesser.get(f"/go/{word}")).status_code for word in ("guess", "summer")] == [404, 429]
        wide = [server.browser(f"2001:db8:1:{number:x}::1") for number in range(WIDE_FACTOR + 1)]
        answers = [(await each.get(f"/go/guess-{n}")).status_code for n in range(WORDS) for each in wide]
        assert answers.count(404) == WIDE_FACTOR * WORDS
        assert set(answers) == {404, 429}


@pytest.mark.parametrize("server", ["asgi /g", "socket /g"], indirect=True)
async def test_words_stand_below_the_prefix_and_at_the_root(server: Server) -> None:
    link = await made(await shop_of(server), "summer")
    assert link["short_url"].endswith("/g/go/summer")
    for path in ("/go/summer", "/g/go/summer", "/g/go/Summer.", "/go/summer?utm_source=print"):
        assert (await server.http.get(path)).headers["location"] == link["url"], path
    assert (await server.http.post("/go/summer")).status_code == 405
