"""A log is imported while a server writes to the same database, and strangers have opened its links by the thousand."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.support.attacked_server import AttackedInstallation, AttackedServer
from tests.support.user_agents import CHROME

ID_BITS: Final = (1 << 32) - 1
LINES: Final = 400


@pytest.mark.parametrize("others", [4_000, pytest.param(120_000, marks=pytest.mark.slow)])
def test_beside_a_server(attacked: AttackedInstallation, others: int) -> None:
    """Nobody is refused meanwhile, every line is counted once, and who was erased before is not counted again."""
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server:
        tokens = [_link(server) for _ in range(5)]
        crowd, erased = tokens[0], tokens[1:4]
        visits = [server.visit(token=token).json() for token in tokens]
        _multiply(attacked, others)
        _erase(attacked, server, *visits[1:4])
        now = datetime.now(UTC)
        lines = [_line(crowd, now - timedelta(seconds=60 - number * 60 // LINES), number) for number in range(LINES)]
        lines += [_line(token, now, number) for number, token in enumerate([*tokens[1:], *erased])]
        log = attacked.folder / "access.log"
        log.write_text("".join(lines))
        with server.harmless():
            found = _summary(attacked.run("import-log", "Attacked", str(log), "--json").out)
        assert (found["joined"], found["returns"], found["refused"]) == (LINES + 1, 3, {"erased": 3})
        again = _summary(attacked.run("import-log", "Attacked", str(log), "--json").out)
        assert (again["joined"], again["returns"], again["repeats"]) == (0, 0, LINES + 7)
    with closing(sqlite3.connect(attacked.database)) as database:
        assert database.execute("SELECT count(*) FROM visits WHERE (flags & 12) = 8").fetchall() == [(3,)]


def _link(server: AttackedServer) -> str:
    asked = {"Authorization": f"Bearer {server.sites[0].key}"}
    answer = server.ask("POST", "/v1/links", {"url": f"{server.sites[0].origin}/"}, asked)
    assert answer.status == 201
    return str(answer.json()["token"])


def _multiply(attacked: AttackedInstallation, others: int) -> None:
    """Stores the first return so often, within a minute."""
    with closing(sqlite3.connect(attacked.database, timeout=30)) as database, database:
        names = [name for _, name, *_ in database.execute("PRAGMA table_info(visits)")]
        row = database.execute(f"SELECT {', '.join(names)} FROM visits WHERE depth = 1 ORDER BY at LIMIT 1").fetchone()
        first = dict(zip(names, row, strict=True))
        number = int(first["visit_id"])
        copies = (
            {
                **first,
                "visit_id": number & ~ID_BITS | (number + each * 9973) & ID_BITS,
                "at": first["at"] - each % 60_000,
            }
            for each in range(1, others)
        )
        database.executemany(
            f"INSERT INTO visits ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})", copies
        )


def _erase(attacked: AttackedInstallation, server: AttackedServer, *visits: Any) -> None:
    """Erases three visits in the three ways that there are."""
    own = server.sites[0]
    forgotten = server.ask("POST", "/v1/forget", {"site": own.site, "session": visits[0]["session"]})
    deleted = server.ask("DELETE", f"/v1/visits/{visits[1]['visit']}", headers={"Authorization": f"Bearer {own.key}"})
    erased = attacked.run("erase", "Attacked", visits[2]["visit"])
    assert (forgotten.status, deleted.status, erased.status) == (200, 204, 0), (forgotten, deleted, erased)


def _line(token: str, at: datetime, number: int) -> str:
    when = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'203.0.113.{number % 250} - - [{when}] "GET /?n={number}&gv={token} HTTP/1.1" 200 1 "-" "{CHROME}"\n'


def _summary(out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(out)
    return found
