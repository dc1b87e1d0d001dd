"""Answers over HTTP: reported by page and key, classified, listed, corrected, compared with what was measured."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from grapevine.answers.classify_job import ClassifyJob
from grapevine.answers.rules import rule_book
from grapevine.background.leases import Leases
from grapevine.domain.ids import DAY_MS, cell_of, hashed_cell, key_number, visit_number
from grapevine.domain.periods import rfc3339
from grapevine.writer.name_bounds import ANSWER, BOUNDS, Bound
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.api.test_conversions import shop
from tests.web.api.test_read_api import KeyClient, asker

__all__ = ["asker", "shop"]

pytestmark = pytest.mark.anyio


async def note(shop: Any, number: int, text: str, /, **fields: Any) -> Any:
    return await shop.post("/v1/answers", json={"text": text, "nonce": f"note-{number:016}"} | fields)


@BOTH_BACKENDS
async def test_what_was_said_is_compared_with_what_was_measured(server: Server, asker: KeyClient, shop: Any) -> None:
    first = await server.visit()
    friend = await server.visit(server.browser("192.0.2.3"), token=first["tokens"]["whatsapp"])
    said = "A freind sent me your article on WhatsApp"
    await server.post("answers", session=friend["session"], text=said, contact="ann@example.org", nonce="n" * 16)
    for number, (text, fields) in enumerate(
        [("Googled you", {"visit": friend["visit"]}), ("a podcast", {}), ("ChatGPT", {"token": first["session"]})]
    ):
        for _ in range(2):  # sent again, it is the same answer
            assert (await note(shop, number, text, **fields)).status_code == 200
    found = (await asker.json("/v1/answers"))["answers"]
    assert sorted((row["class"], row["channel"], row["by"], row["source"]) for row in found) == [
        ("assistant", None, "key", "direct-deep"),
        ("friend", "whatsapp", "page", "share"),
        ("podcast", None, "key", None),
        ("search", None, "key", "share"),
    ]
    stats = await asker.json("/v1/stats/answers")
    assert (stats["answers"], stats["without_visit"], stats["suspects"], stats["unclassified"]) == (4, 1, 0, 0)
    assert (stats["agreement"]["value"], stats["agreement"]["n"]) == (0.5, 2)
    by_class = {row["class"]: row for row in stats["classes"]}
    assert by_class["friend"]["sources"] == {"share": 1}
    assert by_class["friend"]["channels"] == {"whatsapp": 1}
    assert [by_class[name][what] for name, what in
            (("friend", "agree"), ("search", "differ"), ("assistant", "unmeasured"), ("podcast", "comparable"))] == [
        1, 1, 1, False,
    ]  # fmt: skip
    lines = [msgspec.json.decode(line) for line in (await asker.get("/v1/export/answers")).text.splitlines()]
    assert {row["id"] for row in lines} == {row["id"] for row in found}
    assert sorted((row["class"], row["class_by"], row["by"]) for row in lines) == [
        ("assistant", "rule", "key"), ("friend", "rule", "page"), ("podcast", "rule", "key"), ("search", "rule", "key"),
    ]  # fmt: skip
    assert said in {row["text"] for row in lines}


@BOTH_BACKENDS
async def test_a_correction_wins_and_stays_when_rules_change(
    server: Server, asker: KeyClient, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = await server.visit()
    await note(shop, 1, "Googled you", visit=visit["visit"])
    await note(shop, 2, "a leaflet")
    ids = {row["text"]: row["id"] for row in (await asker.json("/v1/answers"))["answers"]}
    for text in ids:
        changed = await shop.patch(f"/v1/answers/{ids[text]}", json={"class": "friend"})
        assert (changed.json()["class"], changed.json()["class_by"]) == ("friend", "person")
    # Rules that are not there any more said something else; the job classifies anew, and the corrections stay.
    store = server.state.store
    for text in ids:
        visit_id, key = visit_number(ids[text][:11]) or 0, key_number(ids[text][11:]) or 0
        cell = cell_of(visit_id) if visit_id else hashed_cell(key)
        await store.answers.classify([(1, visit_id, cell, key, "other", None, 2)])
    monkeypatch.setattr(rule_book(), "version", 3)

    async def no_pause(_: float) -> None:
        pass

    job = ClassifyJob(store, Leases(store.leases, server.clock, "here"), server.clock, no_pause)
    assert [await job.run(), await job.run()] == [2, 0]

    assert {row["class"] for row in (await asker.json("/v1/answers?class=friend"))["answers"]} == {"friend"}
    for text, class_ in (("Googled you", "search"), ("a leaflet", "advertisement")):
        back = (await shop.patch(f"/v1/answers/{ids[text]}", json={"class": None})).json()
        assert (back["class"], back["class_by"], back["text"]) == (class_, "rule", text)


class Killed(BaseException):
    """The process ends here."""


@BOTH_BACKENDS
async def test_a_job_that_was_ended_in_a_step_goes_on(
    server: Server, asker: KeyClient, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await note(shop, number, f"a friend, number {number}")
    before = {row["id"]: row for row in (await asker.json("/v1/answers"))["answers"]}
    store, answers = server.state.store, server.state.store.answers
    version = rule_book().version
    monkeypatch.setattr(rule_book(), "version", version + 1)
    monkeypatch.setattr("grapevine.answers.classify_job._CHANGED_AT_ONCE", 2)
    real, steps = answers.classify, list[int]()

    async def dying(rows: Any) -> None:
        if len(steps) == 1:
            raise Killed
        steps.append(len(rows))
        await real(rows)

    async def no_pause(_: float) -> None:
        pass

    def job() -> ClassifyJob:
        return ClassifyJob(store, Leases(store.leases, server.clock, "here"), server.clock, no_pause)

    with monkeypatch.context() as patched:
        patched.setattr(answers, "classify", dying)
        with pytest.raises(Killed):
            await job().run()
    behind = "SELECT count(*) FROM answers WHERE rules = "
    assert [await server.store.look(f"{behind}{each}") for each in (version, version + 1)] == [[(3,)], [(2,)]]
    assert await job().run() == 3
    assert {row["id"]: row for row in (await asker.json("/v1/answers"))["answers"]} == before


@BOTH_BACKENDS
async def test_lists_go_on_where_they_ended(asker: KeyClient, shop: Any) -> None:
    for number in range(5):
        await note(shop, number, f"friend {number}")
    seen, cursor = list[str](), ""
    while True:
        page = await asker.json(f"/v1/answers?limit=2{cursor}")
        seen += [row["id"] for row in page["answers"]]
        if "next" not in page:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 5


@BOTH_BACKENDS
async def test_keys_have_a_bound_of_their_own(
    server: Server, asker: KeyClient, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grapevine.writer.answers.MOST_BY_KEYS", 3)
    monkeypatch.setitem(BOUNDS, ANSWER, Bound(a_day=4))
    told = [(await note(shop, number, "a friend")).status_code for number in (0, 1, 2, 3, 0)]
    assert told == [200, 200, 200, 429, 200]  # the last one is a repeat
    yesterday = await note(shop, 4, "a friend", at=rfc3339(server.clock.now - DAY_MS))
    assert yesterday.status_code == 200
    for number, status in enumerate((200, 200, 429)):  # one network may use half of what is free
        said = await server.post("answers", text="a friend", nonce=f"{number:016}")
        assert said.status_code == status
    assert len((await asker.json("/v1/answers"))["answers"]) == 6


@BOTH_BACKENDS
async def test_an_external_id_a_time_and_a_key_of_repeats(server: Server, asker: KeyClient, shop: Any) -> None:
    link = (await shop.post("/v1/links", json={"url": f"{ORIGIN}/deep/page", "external_id": "contact 7"})).json()
    visit = await server.visit(server.browser("192.0.2.9"), token=link["token"])
    server.clock.now += 10_000
    at = rfc3339(server.clock.now - 1_000)
    body = {"text": "an email from you", "external_id": "contact 7", "at": at}
    once = {"Idempotency-Key": "call-7"}
    sent = [await shop.post("/v1/answers", json=body, headers=once) for _ in range(2)]
    assert [(each.status_code, each.json()) for each in sent] == [(200, {})] * 2
    other = await shop.post("/v1/answers", json=body | {"text": "a friend"}, headers=once)
    assert other.status_code in (409, 422)
    (found,) = (await asker.json("/v1/answers"))["answers"]
    assert (found["visit"], found["at"], found["source"]) == (visit["visit"], at, "share")


async def test_refusals_say_what_is_wrong(server: Server, asker: KeyClient, shop: Any) -> None:
    visit = await server.visit()
    session = visit["session"]
    for number, (fields, wrong) in enumerate(
        [
            ({"text": "x" * 501}, "text"),
            ({"text": " "}, "text"),
            ({"visit": "nothing"}, "visit"),
            ({"visit": visit["visit"], "token": session}, "visit"),
            ({"external_id": "nobody"}, "external_id"),
            ({"at": "2031-01-01T00:00:00Z"}, "at"),
            ({"nonce": None}, "nonce"),
            ({"site": "another"}, "site"),
        ]
    ):
        refused = await note(shop, number, "a friend", **fields)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, wrong)
    assert (await shop.patch("/v1/answers/nothing", json={"class": "friend"})).status_code == 422
    assert (await shop.patch(f"/v1/answers/{'0' * 22}", json={"class": "friend"})).status_code == 404
    assert (await shop.patch(f"/v1/answers/{'0' * 22}", json={"class": "nonsense"})).status_code == 422
    assert (await asker.get("/v1/answers?class=nonsense")).status_code == 422
