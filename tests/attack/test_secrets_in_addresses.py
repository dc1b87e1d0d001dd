"""Secrets in the addresses of pages reach no file: the bytes of the data folder and the log are searched for them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from tests.support.attacked_server import AttackedInstallation, AttackedServer

SECRET = "Zq7SecretOfAnAddress"
JWT = f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.x"
NAMES = "reset_token email code key password PHPSESSID X-Amz-Signature jwt oauth[state][token]".split()
QUERIES = (
    *(f"?{name}={SECRET}" for name in NAMES),
    *(f"?a=1&{name}=x{SECRET}&b=2#{name}={SECRET}" for name in NAMES),
    f"?x={SECRET}@example.com",
    f"?x={SECRET}%40example.com",
    f"?x={JWT}",
    f"?next={quote(f'https://a.example/?code={SECRET}', safe='')}",
    f"?next={quote(quote(f'/?code={SECRET}', safe=''), safe='')}",
    f";jsessionid={SECRET}?a=1",
    f"/{SECRET}@example.com/",
    f"/{JWT}",
    f"?%63ode={SECRET}",
)


def bring(server: AttackedServer, url: str) -> None:
    """Brings an address by each call that takes one, and follows what came of it."""
    site, origin = server.sites[0].site, {"Origin": server.sites[0].origin}
    visit = server.visit(url=url, referrer=url.replace("a.example", "other.example"))
    assert visit.status == 200, visit
    token, session = visit.json()["tokens"]["copy"], visit.json()["session"]
    known = {"site": site, "session": session, "url": url}
    for call, fields in (("views", {"nonce": f"n{id(url):016d}"}), ("shares", {"token": token})):
        assert server.ask("POST", f"/v1/{call}", known | fields, origin).status == 200
    assert server.visit(url=url, token=token, source="127.0.0.8").json()["returned"]["valid"]
    for path in (f"/s/{token}", f"/about/{token}"):
        answer = server.ask("GET", path)
        assert SECRET not in answer.headers.get("location", "")
        assert SECRET.encode() not in answer.body
    assert server.ask("GET", f"/v1/counts?site={site}&url={quote(url, safe='')}").status == 200
    assert server.ask("POST", f"/s/{token}/qr.svg", url.encode(), {"Content-Type": "text/plain"}).status == 200


def files_with(secret: bytes, folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_no_file_holds_a_secret_of_an_address(attacked: AttackedInstallation) -> None:
    with attacked.attacked() as server:
        for query in QUERIES:
            bring(server, f"{server.sites[0].origin}/reset{query}")
        assert SECRET.encode() not in server.dashboard().body
        assert files_with(SECRET.encode(), attacked.folder) == [], "while it is served, its log among them"
        assert files_with(b"a.example/reset?a=1", attacked.folder), "the pages are there, or this search finds nothing"
        assert SECRET not in server.log
        assert server.end() == (0, "", "")
    assert files_with(SECRET.encode(), attacked.folder) == []
    exported = attacked.run("export", attacked.sites[0].site, "shares")
    assert "a.example/reset" in exported.out
    assert SECRET not in exported.out
