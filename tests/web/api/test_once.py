"""``Idempotency-Key``: what makes something is carried out once, whatever is repeated when."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from grapevine.background.cleanup import tidy
from grapevine.store.repositories.kept_answers import KEPT_MS, KeptAmount
from grapevine.web.api import once
from tests.support.in_process_server import BOTH_BACKENDS, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key

pytestmark = pytest.mark.anyio

CALLS: dict[str, dict[str, Any]] = {
    "/v1/sites": {"name": "My shop", "origins": ["https://shop.example"]},
    "/v1/keys": {"scope": "read", "sites": ["site-a"]},
    "/v1/webhooks?site=site-a": {"url": "https://hook.example/"},
}
COUNTED = {"/v1/sites": "sites", "/v1/keys": "api_keys", "/v1/webhooks?site=site-a": "webhooks"}
OTHER = {"/v1/sites": "name", "/v1/keys": "name", "/v1/webhooks?site=site-a": "url"}


@pytest.fixture
async def owner(server: Server) -> KeyClient:
    return await with_key(server, "owner", scope="admin", site_id=0)


async def send(owner: KeyClient, path: str, key: str | None, **fields: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await owner.http.post(path, json=CALLS[path] | fields, headers=headers)


async def count(server: Server, table: str) -> int:
    ((number,),) = await server.store.look(f"SELECT count(*) FROM {table}")
    return int(number)


@BOTH_BACKENDS
@pytest.mark.parametrize("path", CALLS)
async def test_a_repeat_gets_the_same_answer(server: Server, owner: KeyClient, path: str) -> None:
    before = await count(server, COUNTED[path])
    first, *others = await asyncio.gather(*(send(owner, path, "order 1") for _ in range(5)))
    assert first.status_code == 201
    server.clock.now += KEPT_MS - 1
    others.append(await send(owner, path, "order 1"))
    for other in others:
        assert (other.status_code, other.content) == (first.status_code, first.content)
        assert other.headers["cache-control"] == "no-store"
    assert await count(server, COUNTED[path]) == before + 1
    other = await send(owner, path, "order 1", **{OTHER[path]: "https://another.example/"})
    assert refused(other) == (422, "invalid", ["Idempotency-Key"])
    assert (await send(owner, path, "order 2")).content != first.content
    assert (await send(owner, path, None)).content != first.content
    assert await count(server, COUNTED[path]) == before + 3
    server.clock.now += 1
    assert (await send(owner, path, "order 1")).content != first.content


async def test_the_same_word_of_two_api_keys_is_two(server: Server, owner: KeyClient) -> None:
    other = await with_key(server, "other", scope="admin", site_id=0)
    assert (await send(owner, "/v1/keys", "1")).content != (await send(other, "/v1/keys", "1")).content


async def test_another_call_with_the_same_word_is_another_request(owner: KeyClient) -> None:
    await send(owner, "/v1/keys", "1")
    assert refused(await send(owner, "/v1/sites", "1")) == (422, "invalid", ["Idempotency-Key"])


async def test_a_refused_request_may_be_mended_and_sent_again(owner: KeyClient) -> None:
    assert (await send(owner, "/v1/keys", "1", scope="root")).status_code == 422
    assert (await send(owner, "/v1/keys", "1")).status_code == 201


async def test_no_secret_is_stored_in_the_clear(server: Server, owner: KeyClient) -> None:
    made = (await send(owner, "/v1/keys", "1")).json()
    rows = repr(await server.store.look("SELECT * FROM kept_answers"))
    assert made["key"] not in rows
    assert "sealed1." in rows


@pytest.mark.parametrize("word", ["", " ", "x" * 256, "ü", "a\tb"])
async def test_words_that_cannot_be(owner: KeyClient, word: str) -> None:
    headers = {"Idempotency-Key": word.encode("utf-8")}
    answer = await owner.http.post("/v1/keys", json=CALLS["/v1/keys"], headers=headers)  # type: ignore[arg-type]
    assert refused(answer) == (422, "invalid", ["Idempotency-Key"])


@pytest.mark.parametrize("word", ["x", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a b"])
async def test_words_that_can_be(owner: KeyClient, word: str) -> None:
    assert (await send(owner, "/v1/keys", word)).content == (await send(owner, "/v1/keys", word)).content


async def test_two_words_are_refused(owner: KeyClient) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = await owner.http.post("/v1/keys", json=CALLS["/v1/keys"], headers=headers)
    assert refused(answer) == (422, "invalid", ["Idempotency-Key"])


async def test_their_number_is_bounded(server: Server, owner: KeyClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "MOST_KEPT", 3)
    for word in "abc":
        assert (await send(owner, "/v1/keys", word)).status_code == 201
    answer = await send(owner, "/v1/keys", "d")
    assert refused(answer)[:2] == (429, "rate-limited")
    assert 1 <= int(answer.headers["retry-after"]) <= KEPT_MS // 1_000
    assert (await send(owner, "/v1/keys", "a")).status_code == 201
    assert (await send(owner, "/v1/keys", None)).status_code == 201
    server.clock.now += KEPT_MS
    await tidy(server.store, server.clock.now)
    assert await count(server, "kept_answers") == 0
    assert (await send(owner, "/v1/keys", "d")).status_code == 201


async def test_answers_are_not_counted_at_each_request(
    server: Server, owner: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    amount = server.store.kept_answers.amount

    async def counted(key_id: str) -> KeptAmount:
        counts.append(key_id)
        return await amount(key_id)

    monkeypatch.setattr(server.store.kept_answers, "amount", counted)
    for word in "abcde":
        assert (await send(owner, "/v1/keys", word)).status_code == 201
    assert counts == ["id-owner"]


async def test_an_answer_that_cannot_be_read_any_more(server: Server, owner: KeyClient) -> None:
    await send(owner, "/v1/keys", "1")
    server.state.keyring.keys = (b"another key" * 3,)
    assert refused(await send(owner, "/v1/keys", "1"))[:2] == (409, "conflict")


async def test_a_conversion_without_an_id_counts_once(server: Server) -> None:
    shop = await with_key(server, "shop", scope="write")
    visit = (await server.visit())["visit"]
    order = {"visit": visit, "goal": "order", "value": "49.00", "currency": "EUR"}

    async def report(word: str | None, **fields: Any) -> httpx.Response:
        headers = {} if word is None else {"Idempotency-Key": word}
        return await shop.http.post("/v1/conversions", json=order | fields, headers=headers)

    assert refused(await report(None)) == (422, "invalid", ["id"])
    answers = await asyncio.gather(*(report("1") for _ in range(5)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"{}")}
    assert await count(server, "conversions") == 1
    assert refused(await report("1", value="50.00")) == (422, "invalid", ["Idempotency-Key"])
    assert (await report("2")).status_code == 200
    assert await count(server, "conversions") == 2
    await server.store.kept_answers.forget(server.clock.now + KEPT_MS)  # as if the process had ended before it was kept
    assert (await report("1")).status_code == 200
    assert await count(server, "conversions") == 2
    assert refused(await report("3", goal="")) == (422, "invalid", ["goal"])
    assert (await report("3")).status_code == 200
    assert await count(server, "conversions") == 3
