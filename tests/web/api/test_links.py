"""``/v1/links``: minted links are made, found and listed."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Any

import httpx
import msgspec
import pytest

from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.periods import rfc3339
from grapevine.domain.tokens import Token
from grapevine.links import bounds
from grapevine.links.schemas import MOST_CHARACTERS, MOST_LINKS
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key

pytestmark = pytest.mark.anyio

PAGE = f"{ORIGIN}/spring?id=1"


@pytest.fixture
async def shop(server: Server) -> KeyClient:
    return await with_key(server, "shop", scope="write")


async def post(shop: KeyClient, body: Any, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await shop.http.post("/v1/links", json=body, headers=headers)


async def make(shop: KeyClient, **fields: Any) -> Any:
    response = await post(shop, {"url": PAGE} | fields)
    assert response.status_code == 201, response.text
    return response.json()


async def rows(server: Server, table: str) -> int:
    ((number,),) = await server.store.look(f"SELECT count(*) FROM {table}")
    return int(number)


async def stored(server: Server) -> list[int]:
    return [await rows(server, table) for table in ("visits", "pages", "links", "link_names", "kept_answers")]


@BOTH_BACKENDS
async def test_a_link_is_a_node_of_the_tree(server: Server, shop: KeyClient) -> None:
    link = await make(shop, label="Spring ", external_id=42, campaign="May", places=["table-4", "door"], keep=True)
    node, token = ids.visit_number(link["visit"]), link["token"]
    assert node is not None

    def of(text: str) -> Token:
        found = server.state.sites.signer(text)
        assert found is not None
        return found[1]

    assert of(token) == Token(node, CODES["link"], 0)
    qr = link["qr_url"].removesuffix("/qr.svg").rpartition("/")[2]
    assert of(qr) == Token(node, CODES["qr"], 0)
    table, door = link.pop("places")
    assert link == {
        "token": token,
        "url": f"{PAGE}#gv-{token}",
        "short_url": f"http://grapevine.example/s/{token}",
        "qr_url": f"http://grapevine.example/s/{qr}/qr.svg",
        "page": PAGE,
        "visit": link["visit"],
        "channel": "link",
        "label": "Spring",
        "external_id": "42",
        "campaign": "May",
        "word": None,
        "keep": True,
        "created_at": rfc3339(server.clock.now),
        "expires_at": None,
    }
    assert of(door["token"]) == Token(node, CODES["link"], 2)
    assert door["url"] == f"{PAGE}#gv-{door['token']}"
    assert (table["at"], table["short_url"]) == ("table-4", f"http://grapevine.example/s/{token}?at=table-4")
    assert of(table["qr_url"].removesuffix("/qr.svg").rpartition("/")[2]) == Token(node, CODES["qr"], 1)
    ((source, views, depth, at, page),) = await server.store.look(
        f"SELECT v.source, v.next_view, v.depth, v.at, p.url FROM visits v JOIN pages p ON p.page_id = v.page_id "
        f"WHERE v.visit_id = {node}"
    )
    assert (source, views, depth, at, page) == (10, 1, 0, server.clock.now, PAGE)
    for name in (token, door["token"], qr, link["visit"], f"{token}."):
        assert (await shop.json(f"/v1/links/{name}"))["visit"] == link["visit"]
    returned = await server.visit(token=token, url=PAGE)
    assert returned["returned"] == {"valid": True, "depth": 1, "self": False, "same_network": False, "channel": "link"}
    summary = await shop.json("/v1/stats/summary")
    assert (summary["visits"], summary["returns"], summary["visitors"]) == (1, 1, 1)


async def test_links_are_found_by_their_names(server: Server, shop: KeyClient) -> None:
    made = []
    for number in range(5):
        server.clock.now += 1
        made.append(
            await make(shop, campaign=f"c{number % 2}", label="x", external_id="somebody's" if number else None)
        )
    server.clock.now += ids.DAY_MS
    made.append(await make(shop, campaign="c1"))
    other = await with_key(server, "other", scope="write", site_id=2)
    await server.add_site("site-b", "https://b.example")
    await make(other, url="https://b.example/", campaign="c1")

    visits = [link["visit"] for link in made]

    async def listed(**asked: Any) -> list[int]:
        found: list[int] = []
        cursor = None
        while True:
            page = await shop.json("/v1/links", limit=2, **asked, **({} if cursor is None else {"cursor": cursor}))
            assert len(page["links"]) <= 2
            found += [visits.index(each["visit"]) for each in page["links"]]
            if (cursor := page.get("next")) is None:
                return found

    assert sorted(await listed()) == [0, 1, 2, 3, 4, 5]
    assert (await listed())[0] == 5
    assert sorted(await listed(campaign="c1")) == [1, 3, 5]
    assert (await listed(campaign="c1"))[0] == 5
    assert sorted(await listed(external_id="somebody's", campaign="c0")) == [2, 4]
    assert await listed(label="nobody's") == []
    for path, name in (("links", "label"), ("links", "campaign"), ("links/summary", "campaign")):
        assert refused(await shop.get(f"/v1/{path}", **{name: ""})) == (422, "invalid", [name])
    newest = (await shop.json("/v1/links", limit=1000, label="x"))["links"]
    assert [visits.index(each["visit"]) for each in newest] == [4, 3, 2, 1, 0]
    cursor = (await shop.json("/v1/links", limit=1))["next"]
    assert refused(await shop.get("/v1/links", campaign="c1", cursor=cursor)) == (422, "invalid", ["cursor"])
    for limit in (0, 1001):
        assert refused(await shop.get("/v1/links", limit=limit)) == (422, "invalid", ["limit"])


@BOTH_BACKENDS
async def test_of_many_links_all_are_made_or_none(server: Server, shop: KeyClient) -> None:
    many = [{"url": f"{ORIGIN}/{number % 3}", "external_id": number} for number in range(MOST_LINKS)]
    before = await stored(server)
    wrong = [*many]
    wrong[17] = wrong[17] | {"url": "https://elsewhere.example/"}
    wrong[900] = wrong[900] | {"label": " "}
    assert refused(await post(shop, {"links": wrong})) == (422, "invalid", ["links[17].url", "links[900].label"])
    wrong[17] = wrong[17] | {"url": 5}
    assert refused(await post(shop, {"links": wrong})) == (422, "invalid", ["links[17].url"])
    wrong = [*many, many[0]]
    assert refused(await post(shop, {"links": wrong})) == (422, "invalid", ["links"])
    bodies: list[Any] = [{"links": []}, {"links": many, "url": PAGE}, {}, {"links": None}, {"url": PAGE, "surprise": 1}]
    for body in bodies:
        assert refused(await post(shop, body))[:2] == (422, "invalid")
    assert refused(await post(shop, [many[0]]))[0] == 400
    assert await stored(server) == before

    first, *others = await asyncio.gather(*(post(shop, {"links": many}, "mailing 7") for _ in range(3)))
    assert first.status_code == 201
    links = first.json()["links"]
    assert [link["external_id"] for link in links] == [str(number) for number in range(MOST_LINKS)]
    assert len({link["token"] for link in links}) == MOST_LINKS
    server.clock.now += ids.DAY_MS - 1
    others.append(await post(shop, {"links": many}, "mailing 7"))
    assert [other.content for other in others] == [first.content] * 3
    assert await stored(server) == [MOST_LINKS, 3, MOST_LINKS, MOST_LINKS, 1]
    ((size,),) = await server.store.look("SELECT length(answer) FROM kept_answers")
    assert size < 500
    assert refused(await post(shop, {"links": many[1:]}, "mailing 7")) == (422, "invalid", ["Idempotency-Key"])
    assert (await post(shop, {"links": many[:1]}, "mailing 8")).status_code == 201


async def test_a_repeat_of_one_link_gets_the_same_answer(server: Server, shop: KeyClient) -> None:
    body = {"url": PAGE, "expires_at": "2026-11-05T13:00:00Z"}
    first = await post(shop, body, "1")
    server.clock.now += 2 * ids.HOUR_MS
    assert (await post(shop, body, "1")).content == first.content
    server.clock.now += ids.DAY_MS
    assert refused(await post(shop, body, "1")) == (422, "invalid", ["expires_at"])
    assert await rows(server, "links") == 1


@BOTH_BACKENDS
async def test_a_repeat_says_that_a_link_was_deleted_meanwhile(server: Server, shop: KeyClient) -> None:
    body = {"links": [{"url": PAGE, "external_id": name} for name in "ab"]}
    first = await post(shop, body, "1")
    await server.store.sites.change_site(1, {"origins": ("https://new.example",)})
    server.clock.now += 1_000  # sites are read again when a second has passed
    assert (await post(shop, body, "1")).content == first.content  # it was carried out, whatever the site is now
    for name, says in (("a", "1 of the 2 links that it made was"), ("b", "2 of the 2 links that it made were")):
        assert (await shop.http.delete("/v1/links", params={"external_id": name})).json()["deleted"] == 1
        response = await post(shop, body, "1")
        assert refused(response)[:2] == (409, "conflict")
        assert says in response.text
        assert first.json()["links"][0]["token"] not in response.text
    assert await rows(server, "links") == 0


@pytest.mark.parametrize(
    "sent", [" bob ", "bob\u00a0", "\u3000bob", "Zoe\u0308", "مى\u200cخواهم", "👩\u200d🚀", "❤\ufe0f\u200d🔥"]
)
async def test_a_text_finds_and_deletes_what_it_made(server: Server, shop: KeyClient, sent: str) -> None:
    link = await make(shop, external_id=sent, label=sent, campaign=sent)
    assert link["external_id"] == unicodedata.normalize("NFC", sent.strip())
    for asked in ({"external_id": sent}, {"label": sent, "campaign": link["campaign"]}):
        assert [each["token"] for each in (await shop.json("/v1/links", **asked))["links"]] == [link["token"]]
    assert (await shop.json("/v1/links/summary", campaign=sent))["links"] == 1
    assert (await shop.http.delete("/v1/links", params={"external_id": sent})).json()["deleted"] == 1
    assert await rows(server, "links") == 0


@BOTH_BACKENDS
async def test_stored_links_that_could_not_be_made_any_more_are_answered(server: Server, shop: KeyClient) -> None:
    """An earlier version took times of the year 10000, and, by the command, more places than a token can name."""
    link = await make(shop, expires_at="9999-12-31T23:59:59.999Z", places=[*"abcdefg"])
    node = ids.visit_number(link["visit"])
    row = await server.store.links.link(1, node or 0)
    assert row is not None
    changed = msgspec.structs.replace(row, places="a b c d e f g h i", expires_at=(row.expires_at or 0) + ids.DAY_MS)
    async with server.store.batch() as batch:
        await batch.link_removals.delete([row], [], server.clock.now)
        await batch.links.insert([changed], [])
    (listed,) = (await shop.json("/v1/links"))["links"]
    assert link.items() <= listed.items()
    assert link.items() <= (await shop.json(f"/v1/links/{link['token']}")).items()
    reader = await with_key(server, "reader")
    assert "9999-12-31" in (await reader.get("/v1/export/links", format="csv")).text


WRONG: dict[str, list[Any]] = {
    "url": [
        "", "nonsense", "ftp://a.example/", "https://b.example/", "https://u:p@a.example/", "http://a.example/",
        "https://a.example.b.example/", f"{ORIGIN}/{'x' * 2048}", f"{ORIGIN}/{'ü' * 400}", f"{ORIGIN}/#{'ü' * 400}",
        f"{ORIGIN}/\x00", f"{ORIGIN}/a b", 5, None,
    ],
    "channel": ["", "LINK", "session", "127", 3],
    "label": ["", " ", "x" * 201, "a\nb", "a\x7fb", "\u202eb", "a\u200b", "\u3164", "\u2800", 5],
    "external_id": ["", "bo\u200db", "x" * 201, "a\tb", 1.5, True, 10**200],
    "campaign": ["", "x" * 201, "a\rb"],
    "places": [["A"], ["a", "a"], ["a b"], [""], ["x" * 41], [str(n) for n in range(8)], ["a\n"], "a", [5]],
    "expires_at": [
        "", "tomorrow", "2026-11-05", "2026-11-05T12:00:00Z", "2026-02-30T12:00:00Z",
        "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", 5,
    ],
    "keep": ["yes", 1],
}  # fmt: skip


async def test_what_a_link_cannot_have(server: Server, shop: KeyClient) -> None:
    before = await stored(server)
    for field, values in WRONG.items():
        for value in values:
            status, code, fields = refused(await post(shop, {"url": PAGE} | {field: value}))
            assert (status, code) == (422, "invalid"), (field, value)
            assert fields[0].partition("[")[0] == field, (value, fields)
    assert refused(await shop.http.post("/v1/links", content=b" " * ((1 << 20) + 1)))[0] == 413
    assert await stored(server) == before


async def test_what_a_link_may_have_at_most(server: Server, shop: KeyClient) -> None:
    longest = "ü" * MOST_CHARACTERS
    url = f"{ORIGIN}/{'x' * (2048 - len(ORIGIN) - 1)}"
    places = [f"{n}{'x' * 39}" for n in range(7)]
    link = await make(
        shop,
        url=url,
        label=longest,
        external_id=longest,
        campaign=longest,
        places=places,
        expires_at=rfc3339(server.clock.now + 1),
        channel="print",
    )
    assert link["page"] == url
    assert [place["at"] for place in link["places"]] == places
    assert link["expires_at"] == rfc3339(server.clock.now + 1)
    (found,) = (await shop.json("/v1/links", campaign=longest))["links"]
    assert link.items() <= found.items()


@pytest.mark.parametrize(
    ("given", "page"),
    [
        (f"{ORIGIN}/a?x=1&gv=TOKEN&y=2#part", f"{ORIGIN}/a?x=1&y=2#part"),
        (f"{ORIGIN}/a?gv=TOKEN&y=2", f"{ORIGIN}/a?y=2"),
        (f"{ORIGIN}/a?gv=TOKEN", f"{ORIGIN}/a"),
        (f"{ORIGIN}/a#gv-TOKEN", f"{ORIGIN}/a"),
        (f"{ORIGIN}/a#part&gv-TOKEN", f"{ORIGIN}/a#part"),
        (f"{ORIGIN}/a#gv-TOKEN&part", f"{ORIGIN}/a#part"),
        (f"{ORIGIN}/a?utm_source=mail&b=%20", f"{ORIGIN}/a?utm_source=mail&b=%20"),
        (ORIGIN, f"{ORIGIN}/"),
        (f"{ORIGIN}/grüße?ä=ö#ü", f"{ORIGIN}/gr%C3%BC%C3%9Fe?%C3%A4=%C3%B6#%C3%BC"),
        (f"{ORIGIN}/a/#/route?x=[1]", f"{ORIGIN}/a/#/route?x=[1]"),
        ("HTTPS://A.example:443/a", f"{ORIGIN}/a"),
    ],
)
async def test_somebodys_token_is_taken_out_of_the_url(server: Server, shop: KeyClient, given: str, page: str) -> None:
    visit = await server.visit()
    link = await make(shop, url=given.replace("TOKEN", visit["tokens"]["copy"]))
    assert link["page"] == page
    assert visit["tokens"]["copy"] not in link["url"]


async def test_a_site_makes_so_many_links_a_day(
    server: Server, shop: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "_COUNTED_ANEW", 3)
    monkeypatch.setattr(bounds.LinkBound.take, "__defaults__", (10,))
    for number in (4, 5):
        assert (await post(shop, {"links": [{"url": PAGE}] * number})).status_code == 201
    before = await stored(server)
    response = await post(shop, {"links": [{"url": PAGE}] * 2})
    assert refused(response) == (429, "rate-limited", [])
    tomorrow = ids.day_start(ids.day_at(server.clock.now) + 1)
    assert response.headers["retry-after"] == str((tomorrow - server.clock.now) // 1_000)
    assert await stored(server) == before
    await make(shop)
    assert refused(await post(shop, {"url": PAGE}))[0] == 429
    other = await with_key(server, "other", scope="write", site_id=2)
    await server.add_site("site-b", "https://b.example")
    await make(other, url="https://b.example/")
    server.clock.now += 12 * ids.HOUR_MS
    await make(shop)


async def test_who_may_make_links(server: Server, shop: KeyClient) -> None:
    reader = await with_key(server, "reader")
    assert refused(await post(reader, {"url": PAGE}))[:2] == (403, "forbidden")
    assert refused(await post(shop, {"url": PAGE, "word": "spring"}))[:2] == (403, "forbidden")
    assert refused(await post(shop, {"links": [{"url": PAGE}, {"url": PAGE, "word": "spring"}]}))[0] == 403
    assert await rows(server, "links") == 0


async def test_tokens_that_name_no_link(server: Server, shop: KeyClient) -> None:
    visit = await server.visit()
    for text, status in (
        (visit["tokens"]["copy"], 404),
        (visit["visit"], 404),
        ("x", 400),
        ("x" * 23, 422),
    ):
        assert refused(await shop.get(f"/v1/links/{text}"))[0] == status


async def test_ids_that_are_taken_are_drawn_anew(
    server: Server, shop: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The visit ids of the first two attempts are those of the first link."""
    identify = type(server.state.nonces).identify_link
    first = await make(shop)
    taken = ids.visit_number(first["visit"])

    def identified(self: Any, site_id: int, spread: int, nonce: str, attempt: int, now: int) -> Any:
        return taken if attempt < 2 and nonce.endswith(" 1") else identify(self, site_id, spread, nonce, attempt, now)

    monkeypatch.setattr(type(server.state.nonces), "identify_link", identified)
    response = await post(shop, {"links": [{"url": PAGE}] * 3}, "1")
    links = response.json()["links"]
    assert len({link["visit"] for link in (first, *links)}) == 4
    assert (await post(shop, {"links": [{"url": PAGE}] * 3}, "1")).content == response.content
    assert await rows(server, "links") == 4
