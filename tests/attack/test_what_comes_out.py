"""What a stranger puts into requests does nothing where it is read, and nothing that a request says is believed."""

from __future__ import annotations

import http.client
import re
from concurrent.futures import Executor
from urllib.parse import urlencode

from tests.support.attacked_server import AttackedInstallation, AttackedServer

EVIL = "evil.example"
HOSTILE = "\x9b31mRED\x9d0;owned\x9c\u202egnp.exe\u2066\u2069\u200e\u061c\u2028"
DANGER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
PATHS = (
    "/", "/sign-in", "/sign-in/", "/cascades/", "/healthz/", "/v1/stats/summary/", "/widget.js", "/nowhere",
    "/s/x/qr.svg", "//evil.example/", "/sign-in?next=//evil.example/", "/static/x",
)  # fmt: skip
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def ask_as_evil(port: int, paths: tuple[str, ...], rounds: int) -> tuple[int, list[str]]:
    """Asks for each path under another name; returns how many were answered, and what is wrong with answers."""
    wrong, answered = [], 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in range(rounds):
        for path in paths:
            connection.putrequest("GET", path, skip_host=True)
            connection.putheader("Host", f"{number}.{EVIL}")
            connection.putheader("Origin", f"https://{EVIL}")
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
            answered += 1
            headers = dict(answer.getheaders())
            if EVIL.encode() in body or any(EVIL in value for value in headers.values() if not value.startswith("/")):
                wrong.append(f"{path} names the host of the request")
            if headers.get("x-content-type-options") != "nosniff" or "content-security-policy" not in headers:
                wrong.append(f"{path} is not guarded")
    connection.close()
    return answered, wrong


def test_no_answer_believes_the_host_of_a_request(attacked: AttackedInstallation, attackers: Executor) -> None:
    with attacked.attacked() as server:
        token = server.visit().json()["tokens"]["copy"]
        paths = (*PATHS, f"/s/{token}", f"/s/{token}/qr.svg", f"/about/{token}")
        with server.harmless():
            answered, wrong = attackers.submit(ask_as_evil, server.port, paths, 20).result()
        assert (answered, wrong) == (20 * len(paths), [])
        codes = {server.ask("GET", f"/s/{token}/qr.svg", headers={"Host": host}).body for host in (EVIL, "127.0.0.1")}
        assert len(codes) == 1
        assert server.end() == (0, "", "")


def sign_in(server: AttackedServer) -> dict[str, str]:
    """The headers of a browser with a session."""
    home = {"Origin": f"http://127.0.0.1:{server.port}"}
    answer = server.ask("POST", "/sign-in", urlencode({"key": server.sites[0].key}).encode(), FORM | home)
    assert answer.status == 303
    return home | {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def test_a_copied_cookie_ends_with_its_session(attacked: AttackedInstallation) -> None:
    with attacked.attacked() as server:
        one, other = sign_in(server), sign_in(server)
        thief = one | {"User-Agent": "thief"}
        assert server.ask("GET", "/", headers=thief).status == 200
        assert server.ask("POST", "/sign-out", b"", one).status == 303
        assert server.ask("GET", "/", headers=thief).status == 303
        assert server.ask("GET", "/", headers=other).status == 200
        again = sign_in(server)
        assert server.ask("POST", "/sign-out-everywhere", b"", again).status == 303
        assert [server.ask("GET", "/", headers=each).status for each in (one, other, again)] == [303, 303, 303]


def test_hostile_text_reaches_no_terminal_and_no_log(attacked: AttackedInstallation) -> None:
    with attacked.attacked() as server:
        site = server.sites[0]
        first = server.visit(url=f"{site.origin}/{HOSTILE}?{HOSTILE}", title=f"={HOSTILE}\x1b[2J")
        assert first.status == 200
        token, session = first.json()["tokens"]["copy"], first.json()["session"]
        server.visit(url=f"{site.origin}/{HOSTILE}", token=token, source="127.0.0.8")
        for call, fields in (
            ("conversions", {"goal": HOSTILE, "id": HOSTILE, "nonce": "n" * 16}),
            ("answers", {"text": f"{HOSTILE}\x1b[31m", "contact": HOSTILE, "nonce": "n" * 16}),
        ):
            body = {"site": site.site, "session": session} | fields
            assert server.ask("POST", f"/v1/{call}", body, {"Origin": site.origin}).status in (200, 422)
        refused = server.ask("POST", "/v1/visits", {"site": f"\x1b[31m{HOSTILE}"}, {"Origin": "\x9b31m"})
        assert refused.status in (400, 403, 404, 422)
        for command in (
            ["token", "inspect", token], ["token", "inspect", token, "--json"], ["cascade", first.json()["visit"]],
            ["stats", site.site], ["export", site.site, "visits"], ["export", site.site, "visits", "--format", "csv"],
            ["export", site.site, "conversions", "--format", "csv"], ["export", site.site, "answers"],
            ["export", site.site, "answers", "--format", "csv"], ["doctor"], ["site", "list"],
            ["token", "inspect", HOSTILE],
        ):  # fmt: skip
            done = attacked.run(*command)
            assert done.out or done.err, command
            assert not DANGER.search(done.out.replace("\r\n", "\n")), command
            assert not DANGER.search(done.err), command
        assert not DANGER.search(server.log)
