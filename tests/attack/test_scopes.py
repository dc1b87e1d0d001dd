"""Every call of the API × every kind of key: made from the declarations, so that a new call is walked by itself.

A call that declares a scope is refused without a key, with one that opens nothing, with a narrower one, and for another
site; it is not refused with one of its own scope or a wider one. What needs no key is not refused for one.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from itertools import count
from typing import Any, Final

from grapevine.web import operations
from grapevine.web.api.operation import Operation
from grapevine.web.openapi.examples import example
from grapevine.web.openapi.served import described
from tests.support.attacked_server import AttackedInstallation, AttackedServer

NOW: Final = 1_800_000_000_000
SCOPES: Final = ("read", "write", "admin")
FREE: Final = [each for each in described() if each.scope is None and each.optional_scope is None]


def test_a_key_opens_what_its_scope_says(attacked: AttackedInstallation) -> None:
    own, other = attacked.sites
    keys = plant(attacked)
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server:
        sources = count(10)
        for call in (*operations.KEYED, *operations.LIVE):
            assert call.scope
            needed = SCOPES.index(call.scope)
            expected = {
                "no key": (None, "", {401}),
                "wrong": ("gv_wrong", "", {401}),
                "revoked": ("gv_revoked", "", {401}),
                **{
                    scope: (keys[call.of_site, scope], "", None if rank >= needed else {403})
                    for rank, scope in enumerate(SCOPES)
                },
            }
            if call.of_site:
                expected["of another site"] = (other.key, f"site={own.site}", {403})
            for name, (key, query, statuses) in expected.items():
                status = ask(server, call, key, query, f"127.2.{next(sources) // 200}.7")
                what = f"{call.name} with {name}: {status}"
                assert status < 500, what
                assert status in statuses if statuses else status not in (401, 403), what


def test_what_needs_no_key_takes_any(attacked: AttackedInstallation) -> None:
    keys = plant(attacked)
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server:
        for call in FREE:
            statuses = {ask(server, call, key, "", "127.3.1.7") for key in (None, "gv_wrong", keys[True, "read"])}
            assert len(statuses) == 1, (call.name, statuses)
            assert not statuses & {401, 500}, (call.name, statuses)


def is_endless(call: Operation) -> bool:
    """Whether the response has no end."""
    return any("text/event-stream" in response.media_types for response in call.responses.values())


def ask(server: AttackedServer, call: Operation, key: str | None, query: str, source: str) -> int:
    """Returns the status of a call with what its description shows."""
    path = re.sub(r"{\w+(:\w+)?}", "none", call.path) + (f"?{query}" if query else "")
    body: Any = None
    if call.body is not None:
        body = example(call.name, "request")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    # The head of an endless response tells its status, and is all of the response to HEAD.
    return server.ask("HEAD" if is_endless(call) else call.method, path, body, headers, source).status


def plant(attacked: AttackedInstallation) -> dict[tuple[bool, str], str]:
    """Adds keys of each scope, for the first site (True) and for every site (False), and a revoked one. Returns the
    secrets of those in force."""
    secrets = {(of_site, scope): f"gv_{scope}_{of_site}" for of_site in (True, False) for scope in SCOPES}
    with sqlite3.connect(attacked.database) as database:
        (own,) = next(database.execute("SELECT site_id FROM sites WHERE key = ?", (attacked.sites[0].site,)))
        rows = [(own if of_site else 0, scope, secret, None) for (of_site, scope), secret in secrets.items()]
        for site_id, scope, secret, revoked_at in [*rows, (own, "admin", "gv_revoked", NOW)]:
            database.execute(
                "INSERT INTO api_keys (key_id, site_id, name, created_at, scope, hash, revoked_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (secret, site_id, scope, NOW, scope, hashlib.sha256(secret.encode()).hexdigest(), revoked_at),
            )
    database.close()
    return secrets
