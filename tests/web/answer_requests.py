"""Requests about answers, from a seller's note to a class that a person corrects, on both backends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from grapevine.domain.enums import ANSWER_CLASSES
from grapevine.store.rows import SiteRow
from tests.web.backend_pair import Pair
from tests.web.paged_lists import go_on, turn_pages
from tests.web.read_requests import ReadClient, sign_in
from tests.web.traffic import Author

SEEN_OF_ANSWERS: Final = {
    "POST /v1/answers 200", "POST /v1/answers 401", "POST /v1/answers 403", "POST /v1/answers 422",
    "GET /v1/answers 200", "GET /v1/answers 422", "GET /v1/stats/answers 200", "PATCH /v1/answers/… 200",
    "PATCH /v1/answers/… 403", "PATCH /v1/answers/… 404", "PATCH /v1/answers/… 422", "GET /answers 200",
    "GET /answers 422", "POST /answers/correct 303", "POST /answers/correct 403", "POST /answers/correct 404",
}  # fmt: skip
_JSON: Final = ("Content-Type", "application/json")
_ORIGIN: Final = ("Origin", "http://grapevine.example")
_SAID: Final = ("A friend sent it on WhatsApp", "ein Podcast", "ChatGPT", "友達 🍇", "newsletter", "x" * 501, "")


async def tell_answers(pair: Pair, author: Author, site: SiteRow) -> None:
    """A seller reports what people said, of visits and of none, some of it twice; somebody corrects classes."""
    writer, reader = ReadClient(f"write-{site.site_id}"), ReadClient(f"secret-{site.site_id}")
    named = [{}, *({"visit": each} for each in author.visits[site.key][-9:])]
    named += [*({"token": each} for each in author.tokens[site.key][-9:]), {"visit": "x"}, {"external_id": "nobody"}]
    for number, whose in enumerate(named):
        said: dict[str, Any] = {"text": _SAID[number % len(_SAID)], "nonce": f"told-{number:011}"} | whose
        said |= {"contact": "somebody@example.org"} if number % 3 else {}
        for asker in (writer, writer, ReadClient("nobody"), reader)[: 2 if number else 4]:
            await pair.ask(asker.post("/v1/answers", json.dumps(said).encode(), _JSON))
    once = b'{"text": "an advertisement on the tram"}'
    for _ in range(2):
        await pair.ask(writer.post("/v1/answers", once, _JSON, ("Idempotency-Key", "the tram")))
    await pair.compare_rows()

    answers = (await pair.ask(reader.get("/v1/answers"))).json["answers"]
    assert {each["class"] for each in answers} > {"friend", "podcast", "assistant", "newsletter", "advertisement"}
    for number, each in enumerate(answers[:8]):
        path, name = f"/v1/answers/{each['id']}", [*ANSWER_CLASSES, None][number]
        for asker in (writer, reader)[: 1 if number else 2]:
            await pair.ask(asker.post(path, json.dumps({"class": name}).encode(), _JSON, method="PATCH"))
    for path, name in ((answers[0]["id"], "hearsay"), ("0" * 22, "press"), ("x", "press"), (answers[1]["id"], None)):
        body = json.dumps({"class": name}).encode()
        await pair.ask(writer.post(f"/v1/answers/{path}", body, _JSON, method="PATCH"))
    await _correct_on_the_dashboard(pair, site, answers[-1]["id"])
    await pair.compare_rows()
    left = (await pair.ask(reader.get("/v1/answers"))).json["answers"]
    assert {each["class_by"] for each in left} == {"person", "rule"}


async def _correct_on_the_dashboard(pair: Pair, site: SiteRow, answer_id: str) -> None:
    for secret in (f"admin-{site.site_id}", f"secret-{site.site_id}"):
        signed_in = await pair.ask(sign_in(secret))
        viewer = ReadClient(cookie=dict(signed_in.headers)["set-cookie"].partition(";")[0])
        for named, name in ((answer_id, "event"), ("0" * 22, "event"), (answer_id, "hearsay"), (answer_id, "rules")):
            form = urlencode({"answer": named, "class": name}).encode()
            await pair.ask(viewer.post("/answers/correct", form, _ORIGIN))


async def read_answers(pair: Pair, site: SiteRow, days: Sequence[Mapping[str, str]], viewer: ReadClient) -> None:
    """Every class and period of the lists, to their ends, in the API and on the dashboard."""
    asker = ReadClient(f"secret-{site.site_id}")
    for period in days:
        await pair.ask(asker.get("/v1/stats/answers", **period))
        await pair.ask(viewer.get("/answers", site=site.key, **period))
    for name in (None, *ANSWER_CLASSES):
        await go_on(pair, asker, asker.get("/v1/answers", limit=7, class_=name, **days[1]))
        await turn_pages(pair, viewer, viewer.get("/answers", site=site.key, class_=name, **days[1]))
    for wrong in ({"class_": "hearsay"}, {"limit": 0}, {"cursor": "x"}):
        await pair.ask(asker.get("/v1/answers", **wrong))
    await pair.ask(viewer.get("/answers", site=site.key, class_="hearsay"))
