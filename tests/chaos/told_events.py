"""Which webhook events a database calls for, and which a receiver got."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from grapevine.domain import ids, money
from grapevine.domain.enums import CONVERSION_REPORTER_NAMES
from grapevine.domain.periods import rfc3339
from grapevine.store.repositories.mentions import KIND_NAMES
from grapevine.webhooks.milestones import SMALLEST
from tests.support.server_process import Installation
from tests.support.webhook_receiver import Received

Told = tuple[str, ...]
"""An event: its name, and by what it is told from others of this name."""
Facts = dict[str, Any]

_NAMES: Final = {
    "share.proven": ("visit", "channel", "n"),
    "cascade.milestone": ("root", "milestone"),
    "conversion.created": ("conversion", "by"),
    "answer.created": ("answer",),
    "mention.created": ("source", "page"),
    "spike.detected": ("page", "at"),
    "site.silent": ("site", "since"),
}


async def called_for(installation: Installation) -> dict[Told, Facts]:
    """Returns the events of what a database holds, with facts that it holds of each.

    Of a conversion of which a key's report replaced that of a page (``C-…``) there are two."""
    found: dict[Told, Facts] = {}

    def add(name: str, **facts: Any) -> None:
        told = _told(name, facts)
        assert told not in found, told
        found[told] = facts

    query = (
        "SELECT s.visit_id, s.n, s.proven_at, v.depth FROM shares s JOIN visits v USING (site_id, visit_id, cell) "
        "WHERE s.proven_at IS NOT NULL"
    )
    for visit, n, proven_at, depth in await installation.rows(query):
        add("share.proven", visit=ids.visit_text(visit), channel="copy", n=n, at=rfc3339(proven_at), depth=depth)
    query = "SELECT root_id, started_at FROM cascades WHERE size >= 10"
    for root, started_at in await installation.rows(query):
        add("cascade.milestone", root=ids.visit_text(root), milestone=SMALLEST, started_at=rfc3339(started_at))
    query = "SELECT visit_id, goal, event_key, external_id, at, value, reported_by, refund_of FROM conversions"
    for visit, goal, key, name, at, value, reporter, refund_of in await installation.rows(query):
        by, replaces = CONVERSION_REPORTER_NAMES[reporter], str(name).startswith("C-")
        same = {"visit": ids.visit_text(visit), "goal": goal, "conversion": ids.key_text(key), "id": name}
        if replaces:
            add("conversion.created", **same, by="page", replaces=False, value=None)
        add("conversion.created", **same, by=by, replaces=replaces, at=rfc3339(at), refund_of=refund_of,
            value=None if value is None else money.decimal(value))  # fmt: skip
    for visit, key, at, text, reporter in await installation.rows(
        "SELECT visit_id, event_key, at, text, reported_by FROM answers"
    ):
        by = CONVERSION_REPORTER_NAMES[reporter]
        add("answer.created", answer=ids.visit_text(visit) + ids.key_text(key), at=rfc3339(at), text=text, by=by)
    pages = "JOIN pages p USING (site_id, page_id, cell)"
    for source, page, kind, title in await installation.rows(
        f"SELECT m.source_url, p.url, m.kind, m.title FROM mentions m {pages}"
    ):
        add("mention.created", source=source, page=page, kind=KIND_NAMES[kind], title=title)
    for page, at, returns in await installation.rows(
        "SELECT p.url, s.started_at, s.returns FROM spikes s JOIN pages p USING (site_id, page_id)"
    ):
        add("spike.detected", page=page, at=rfc3339(at), returns=returns)
    for site, since in await installation.rows(
        "SELECT s.key, q.started_at FROM silences q JOIN sites s USING (site_id)"
    ):
        add("site.silent", site=site, since=rfc3339(since))
    return found


def received_of(requests: Iterable[Received]) -> dict[Told, dict[str, Facts]]:
    """Returns what each event said, by the ids that it came with. Under one id always the same comes."""
    bodies: dict[str, bytes] = {}
    found: dict[Told, dict[str, Facts]] = {}
    for request in requests:
        name = request.headers["webhook-id"]
        assert bodies.setdefault(name, request.body) == request.body
        event = json.loads(request.body)
        found.setdefault(_told(event["type"], event["data"]), {})[name] = event["data"]
    return found


def _told(name: str, facts: Facts) -> Told:
    return name, *(str(facts[field]) for field in _NAMES[name])
