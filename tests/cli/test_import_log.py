"""The command ``import-log``."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grapevine.domain import ids
from grapevine.domain.channels import SESSION
from tests.cli.terminal import Terminal, findings
from tests.support.user_agents import CHROME

SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
CHATGPT = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
MINUTE = 60
FIELDS = ("returns", "joined", "unfurls", "assistants", "repeats", "robots", "broken")


def line(
    token: str | None,
    age: float = 0.0,
    agent: str = CHROME,
    address: str = "203.0.113.9",
    path: str = "/page",
    request: str = "GET {} HTTP/1.1",
    status: int = 200,
    referrer: str = "-",
    host: str = "",
) -> str:
    """A line in the combined format, ``age`` seconds old."""
    at = datetime.fromtimestamp(time.time() - age, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    target = path if token is None else f"{path}?page=2&gv={token}"
    return f'{host}{address} - - [{at}] "{request.format(target)}" {status} 512 "{referrer}" "{agent}"\n'


def caddy_line(token: str, age: float, **request: Any) -> str:
    asked = {"client_ip": "203.0.113.9", "method": "GET", "host": "a.example", "uri": f"/page?gv={token}"}
    asked |= {"headers": {"User-Agent": [CHROME]}} | request
    return json.dumps({"ts": time.time() - age, "request": asked, "status": 200, "msg": "handled request"}) + "\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def write_file(lines: Iterable[str], name: str = "access.log") -> str:
        content = "".join(lines).encode("utf-8", "surrogateescape")
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return str(path)

    return write_file


def on_database(run: Terminal, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(run.settings.database.removeprefix("sqlite:///"))) as file, file:
        return file.execute(statement).fetchall()


def found(done: Any) -> tuple[int, ...]:
    assert (done.status, done.err) == (0, ""), done
    return tuple(done.json[name] for name in FIELDS)


def test_each_line_counts_once(run: Terminal, write: Callable[..., str]) -> None:
    site = run.add_site()
    first, second, _ = run.chain(site)
    whatsapp, copy = first["tokens"]["whatsapp"], first["tokens"]["copy"]
    lines = [
        line(whatsapp, 3 * MINUTE),
        line(whatsapp, 2 * MINUTE, status=304, path="/"),
        line(copy),  # reported by the widget, as the second visit of the chain
        line(copy, 20 * MINUTE),
        line(copy, agent=SLACK),
        line(copy, agent=SLACK, address="203.0.113.10"),
        line(copy, agent=CHATGPT),
        line(copy, agent=GOOGLE),
        line(copy, agent="-"),
        line(None, path="/style.css", referrer=f"https://a.example/page?gv={copy}"),
    ]
    path = write(lines)
    assert on_database(run, "INSERT INTO webhooks (webhook_id, site_id, url, secret, events, created_at) "
                            "VALUES ('wh_1', 1, 'https://hooks.example/', '', 'share.proven', 0)") == []  # fmt: skip
    done = run("import-log", site, path, "--json")
    assert found(done) == (3, 1, 1, 1, 1, 2, 0)
    assert (done.json["lines"], done.json["origin"]) == (10, "https://a.example")
    numbers = run("stats", site, "--json").json
    summary = numbers.get("summary", numbers)
    assert (summary["visits"], summary["returns"]) == (6, 5)
    assert (summary["shares"]["proven"], summary["unfurls"]) == (3, {"slack": 1, "chatgpt": 1})
    # The widget's visit had proven the share of `copy` before the endpoint was there.
    ((payload,),) = on_database(run, "SELECT payload FROM deliveries")
    assert json.loads(payload)["data"]["channel"] == "whatsapp"
    # Read again, in another order, compressed, in part, and with lines that are new.
    assert found(run("import-log", site, path, "--json")) == (0, 0, 0, 0, 7, 2, 0)
    more = [*lines[::-1][:6], line(second["tokens"]["copy"], 30 * MINUTE, address="2001:db8::7")]
    assert found(run("import-log", site, write(more, "access.log.1.gz"), "--json"))[:2] == (1, 0)
    after = run("stats", site, "--json").json
    assert after.get("summary", after)["returns"] == 6
    assert all(finding["ok"] for name, finding in findings(run("doctor", "--json")).items() if "joined" in name)
    assert "joined lines of logs" in run("doctor", "--json").out
    inspected = run("token", "inspect", whatsapp, "--json").json["resolution"]
    assert (inspected["share"]["returns"], inspected["share"]["proven"]) == (2, True)
    visits = [json.loads(row) for row in run("export", site, "visits").out.splitlines()]
    assert sorted(visit["seen_by"] for visit in visits) == ["log"] * 4 + ["widget"] * 3
    logged = next(visit for visit in visits if visit["seen_by"] == "log" and visit["channel"] == "whatsapp")
    number = ids.visit_number(logged["visit"])
    assert number is not None
    shared = run("token", "inspect", run.tokens(site).mint_one(number, 0), "--json").json["resolution"]
    assert [node.get("seen_by") for node in shared["chain"]] == [None, "log"]


def test_what_does_not_count_is_said(run: Terminal, write: Callable[..., str]) -> None:
    site, other = run.add_site(), run.add_site("Dregs")
    (first,) = run.chain(site, 1)
    token = first["tokens"]["copy"]
    tokens = run.tokens(site)
    number = ids.visit_number(first["visit"])
    assert number is not None
    lines = [
        line(token, request="HEAD {} HTTP/1.1"),
        line(token, request="POST {} HTTP/1.1"),
        line(token, status=404),
        line(token, status=302),
        line(token, host="b.example:443 "),
        line(token, request="GET http://b.example{} HTTP/1.1"),
        line(token[:-1] + ("A" if token[-1] != "A" else "B")),
        line(run.tokens(other).mint_one(number, 0)),
        line(tokens.mint_one(number, SESSION)),
        line(tokens.mint_one(number ^ 1, 0)),
        line(token, -10 * MINUTE),
        line(token, 401 * 24 * 60 * MINUTE),
        line(token, 3 * 24 * 60 * MINUTE),
        line(token, path="/a\\n<b>"),
        line(token, path="/" + "x" * 70_000),
        caddy_line(token, 0, headers={"User-Agent": [CHROME], "Sec-Gpc": ["1"]}),
        caddy_line(token, 0, host="b.example"),
        caddy_line(token, 0, host="a" * 1_000),
        caddy_line(token, 0, headers={"User-Agent": [CHROME], "Purpose": ["prefetch"]}),
        "\x1b[31mnot a line\x07 of \u202ea log \udcff\n",
        f"{token}\n",
        line("x"),
        "\n",
    ]
    done = run("import-log", site, write(lines), "--json")
    assert found(done) == (0, 0, 0, 0, 0, 0, 2)
    assert done.json["refused"] == {
        "bad-signature": 2, "before-share": 1, "foreign-host": 4, "future": 1, "not-a-page": 1, "not-shown": 4,
        "opted-out": 1, "past-retention": 1, "prefetched": 1, "session": 1, "too-long": 1, "unknown-visit": 1,
    }  # fmt: skip
    assert [each["line"] for each in done.json["first_broken"]] == [20, 21]
    said = run("import-log", site, write(lines))
    assert (said.status, said.err) == (0, "")
    assert "\x1b" not in said.out + done.out
    assert "\u202e" not in said.out + done.out
    assert "Line 20 could not be read: \\u001b[31mnot a line" in said.out
    assert "        4 answered with an error or a redirect, or no GET\n        1 fetched ahead by a browser" in said.out


def test_a_log_of_caddy_and_one_of_several_hosts(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    site = str(
        run("site", "add", "Lees", "--origin", "https://a.example", "--origin", "http://b.example:8080").json["site"]
    )
    (first,) = run.chain(site, 1)
    token = first["tokens"]["copy"]
    link = run("links", "create", site, "https://a.example/minted", "--json").json
    lines = [
        caddy_line(token, 60),
        caddy_line(token, 50, host="b.example"),
        '{"level":"info","ts":1,"msg":"serving initial configuration"}\n',
        line(token, 40, host="A.EXAMPLE:443 "),
        line(token, 30, path="/only-here"),
        line(link["token"], 0, path="/minted"),
        line(token, 20, path="/film.mp4", status=206),
    ]
    read, wrote = os.pipe()
    os.write(wrote, "".join(lines).encode())
    os.close(wrote)
    with os.fdopen(read, encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        done = run("import-log", "Lees", "-", "--json", "--origin", "http://b.example:8080/")
    assert found(done) == (5, 0, 0, 0, 0, 0, 0)
    assert done.json["refused"] == {"partial": 1}
    rows = [json.loads(row) for row in run("export", site, "visits").out.splitlines()]
    assert {row["url"] for row in rows} == {
        "https://a.example/page", "http://b.example:8080/page", "https://a.example/page?page=2",
        "http://b.example:8080/only-here?page=2", "https://a.example/minted", "http://b.example:8080/minted?page=2",
    }  # fmt: skip
    node = next(row for row in rows if row["source"] == "link")
    assert [row["seen_by"] for row in rows if row["parent"] == node["visit"]] == ["log"]
    assert node["seen_by"] is None


def test_files_that_cannot_be_read(run: Terminal, write: Callable[..., str], tmp_path: Path) -> None:
    site = run.add_site()
    (first,) = run.chain(site, 1)
    cut = tmp_path / "cut.gz"
    whole = gzip.compress("".join(line(first["tokens"]["copy"], age) for age in range(60, 360)).encode())
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    for name, status, says in [
        (str(tmp_path / "nothing.log"), 2, "`FILE` cannot be read"),
        (str(tmp_path), 2, "Is a directory"),
        ("/dev/zero", 2, "`FILE` cannot be read: /dev/zero: is a device"),
        (str(tmp_path / ("x" * 300)), 2, "`FILE` cannot be read"),
        (write(["time,url\n", "1,/\n"], "table.csv"), 1, "no line in the combined format of Apache and nginx"),
        (write(["time,url\n"] * 2_000, "long.csv"), 1, "Line 1 begins: time,url"),
        (str(cut), 1, "the compressed file ends in the middle. What was read before"),
    ]:
        done = run("import-log", site, name)
        assert (done.status, done.out) == (status, ""), done
        assert says in done.err
    assert 1 < run("stats", site, "--json").json["visits"] < 300
    assert found(run("import-log", site, write([]), "--json")) == (0,) * len(FIELDS)
    done = run("import-log", site, write([]), "--origin", "https://c.example")
    assert (done.status, done.out) == (2, "")
    assert "is https://c.example, but the origins of Lees are https://a.example" in done.err
