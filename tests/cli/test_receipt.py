"""``grapevine receipt verify``: with a file of keys, and with the server that a receipt names."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grapevine.receipts.document import REVOCATION_TYPE, PublicKeys, Receipt, Revocation
from grapevine.receipts.ed25519 import SigningKey, jwk
from grapevine.receipts.jws import MOST_BYTES
from tests.cli.terminal import Output, Terminal
from tests.unit.receipts.made_receipts import RECEIPT, REVOCATION, key_of, signed

KEY = key_of()


def keys(*found: SigningKey) -> bytes:
    return msgspec.json.encode(PublicKeys(keys=[jwk(each.kid, each.public_key) for each in found or (KEY,)]))


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    (tmp_path / "keys.json").write_bytes(keys())
    (tmp_path / "receipt.jws").write_text(signed() + "\n")
    return tmp_path


def verify(run: Terminal, file: Path, *more: str) -> Output:
    return run("receipt", "verify", str(file), *more)


def test_offline_each_verdict_has_its_status(run: Terminal, paper: Path) -> None:
    known = ("--keys", str(paper / "keys.json"))
    good = verify(run, paper / "receipt.jws", *known)
    assert (good.status, good.err) == (0, "")
    assert good.out.startswith("Valid: issued by https://share.example.com for the site site-a on 2026-11-21. Whether")
    assert "order on 2026-11-20: 49.00 EUR, reported by an API key." in good.out
    assert "whatsapp" in good.out
    saved = paper / "answer.json"
    saved.write_text(json.dumps({"conversion": "0", "document": signed()}))
    assert verify(run, saved, *known, "--json").json["verdict"] == "valid"

    altered = paper / "altered.jws"
    text = signed()
    for content in (
        text[:-2] + "AA",
        text.replace(".", "", 1),
        "",
        "{}",
        '{"document": null}',
        "\udcff",
        "x" * (MOST_BYTES + 1),
    ):
        altered.write_bytes(content.encode("utf-8", "surrogateescape"))
        found = verify(run, altered, *known, "--json")
        assert (found.status, found.json["verdict"], found.json["receipt"]) == (1, "altered", None), content[:50]
    elsewhere = verify(run, paper / "receipt.jws", *known, "--issuer", "https://other.example", "--json")
    assert (elsewhere.status, elsewhere.json["verdict"]) == (1, "other-issuer")

    stranger = key_of("site-b")
    altered.write_text(signed(key=stranger))
    found = verify(run, altered, *known)
    assert found.status == 4
    assert stranger.kid in found.out

    revocation = paper / "revocation.jws"
    revocation.write_text(signed(REVOCATION, typ=REVOCATION_TYPE))
    found = verify(run, paper / "receipt.jws", *known, "--revocation", str(revocation), "--json")
    assert (found.status, found.json["verdict"], found.json["revocation"]["reason"]) == (3, "revoked", "refund")
    other = msgspec.structs.replace(REVOCATION, receipt="0" * 32)
    for wrong in (signed(other, typ=REVOCATION_TYPE), signed(REVOCATION), text, "x"):
        revocation.write_text(wrong)
        assert verify(run, paper / "receipt.jws", *known, "--revocation", str(revocation)).status == 2


def test_an_issuer_is_one_server_however_its_address_is_written(run: Terminal, paper: Path) -> None:
    known = ("--keys", str(paper / "keys.json"), "--json")
    same = ("https://share.example.com/", "HTTPS://Share.Example.COM", "https://share.example.com:443/")
    for given in same:
        assert verify(run, paper / "receipt.jws", *known, "--issuer", given).json["verdict"] == "valid", given
    for given in ("http://share.example.com", "https://share.example.com:8443", "https://example.com"):
        assert verify(run, paper / "receipt.jws", *known, "--issuer", given).json["verdict"] == "other-issuer", given
    for named in (*same, "https://share.example.com/x", "https://share.example.com?", "share.example.com", ""):
        (paper / "receipt.jws").write_text(signed(msgspec.structs.replace(RECEIPT, iss=named)))
        found = verify(run, paper / "receipt.jws", *known, "--issuer", "https://share.example.com")
        assert found.json["verdict"] == ("valid" if named in same else "other-issuer"), named


def test_what_cannot_be_used_is_one_line(run: Terminal, paper: Path) -> None:
    known = ("--keys", str(paper / "keys.json"))
    for arguments, said in (
        ((), "`--keys` or --online is needed, since your own database cannot be used: there is no Grapevine database"),
        (("--keys", str(paper / "none.json")), f"`--keys` {paper}/none.json cannot be read: No such file"),
        (("--keys", str(paper)), f"`--keys` {paper} cannot be read: Is a directory"),
        (("--keys", str(paper / "receipt.jws")), "no JSON Web Key Set"),
        ((*known, "--revocation", str(paper / "none.jws")), f"`--revocation` {paper}/none.jws cannot be read"),
        ((*known, "--issuer", "share.example.com"), "`--issuer` share.example.com must begin with http:// or https://"),
        ((*known, "--issuer", "https://share.example.com/x"), "that is https://share.example.com"),
    ):
        found = verify(run, paper / "receipt.jws", *arguments)
        assert (found.status, found.out) == (2, ""), found
        assert said in found.err
        assert len(found.err.splitlines()) == 1
    assert not list(paper.glob("*.sqlite3*"))  # and none was made


class Issuer:
    """A server that answers what a test wants, and remembers what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.url = ""

    def receipt(self, **changes: Any) -> Receipt:
        return msgspec.structs.replace(RECEIPT, iss=self.url, **changes)

    def says(self, state: str, revocation: str | None = None, receipt: str = RECEIPT.receipt) -> None:
        body = {"receipt": receipt, "state": state, "revocation": revocation, "says": None}
        self.answers[f"/v1/receipt-status/{RECEIPT.receipt}"] = 200, json.dumps(body).encode()


@contextmanager
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            status, body = issuer.answers.get(self.path.partition("?")[0], (404, b"{}"))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    issuer.answers["/v1/receipt-keys"] = 200, keys()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_online_a_replayed_receipt_is_known_to_be_revoked(run: Terminal, paper: Path) -> None:
    with issuer() as other:
        file = paper / "receipt.jws"
        file.write_text(signed(other.receipt()))
        online = ("--online", "--allow-private", "--json")
        other.says("valid")
        found = verify(run, file, *online)
        assert (found.status, found.json["verdict"], found.json["asked"]) == (0, "valid", True)
        assert other.asked == ["/v1/receipt-keys?site=site-a", f"/v1/receipt-status/{RECEIPT.receipt}?site=site-a"]

        revoked = msgspec.structs.replace(REVOCATION, iss=other.url)
        other.says("revoked", signed(revoked, typ=REVOCATION_TYPE))
        found = verify(run, file, *online)
        assert (found.status, found.json["verdict"], found.json["revocation"]["revoked"]) == (
            3,
            "revoked",
            "2026-11-25",
        )
        assert verify(run, file, "--keys", str(paper / "keys.json")).status == 0  # offline it cannot be known

        moved = other.receipt(site="a/../../x?y=#z")
        file.write_text(signed(moved))
        other.asked.clear()
        verify(run, file, *online)
        assert other.asked[0] == "/v1/receipt-keys?site=a%2F..%2F..%2Fx%3Fy%3D%23z"


def test_online_nothing_but_a_good_answer_makes_a_receipt_valid(run: Terminal, paper: Path) -> None:
    with issuer() as other:
        file = paper / "receipt.jws"
        file.write_text(signed(other.receipt()))
        status = f"/v1/receipt-status/{RECEIPT.receipt}"
        foreign: Revocation = msgspec.structs.replace(REVOCATION, receipt="0" * 32)
        for answer in (
            (404, b"{}"), (500, b"{}"), (302, f"{other.url}/elsewhere".encode()), (200, b""), (200, b"[]"),
            (200, b"\xff"),
            (200, b" " * (300 * 1024)),
        ):  # fmt: skip
            other.answers[status] = answer
            found = verify(run, file, "--online", "--allow-private", "--json")
            assert (found.status, found.json["verdict"]) == (5, "unknown-state"), answer[:1]
        assert not [path for path in other.asked if "elsewhere" in path]
        for revocation in (
            None,
            "",
            signed(REVOCATION),
            signed(foreign, typ=REVOCATION_TYPE),
            signed(REVOCATION, key_of("b")),
        ):
            other.says("revoked", revocation)
            assert verify(run, file, "--online", "--allow-private").status == 5
        other.says("valid", receipt="1" * 32)
        assert verify(run, file, "--online", "--allow-private").status == 5

        other.says("valid")
        other.answers["/v1/receipt-keys"] = 200, keys(key_of("site-b"))
        assert verify(run, file, "--online", "--allow-private").status == 4
        other.answers["/v1/receipt-keys"] = 200, b"{"
        assert verify(run, file, "--online", "--allow-private").status == 5
        # keys that somebody has from before go before those that the server shows
        pinned = ("--keys", str(paper / "keys.json"))
        assert verify(run, file, "--online", "--allow-private", *pinned).status == 0


def test_online_only_a_public_server_is_asked(run: Terminal, paper: Path) -> None:
    with issuer() as other:
        file = paper / "receipt.jws"
        port = other.url.rpartition(":")[2]
        for address in (
            other.url, f"http://localhost:{port}", f"https://127.0.0.1:{port}", "http://169.254.169.254", "file:///etc/passwd",
            "http://user:secret@example.com", f"{other.url}/x", f"{other.url}?x=", "", "https://", "//x", "https://[::1]",
        ):  # fmt: skip
            file.write_text(signed(msgspec.structs.replace(RECEIPT, iss=address)))
            found = verify(run, file, "--online", "--json")
            assert (found.status, found.json["verdict"]) == (5, "unknown-state"), address
        assert other.asked == []


@pytest.mark.process
def test_the_package_is_loaded_when_needed_and_one_line_says_that_it_is_missing(paper: Path) -> None:
    code = "import sys, grapevine.serving.app, grapevine.cli.parser; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own code
    code = (
        "import sys; sys.modules['cryptography'] = None; from grapevine.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["receipt", "verify", str(paper / "receipt.jws"), "--keys", str(paper / "keys.json")]
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own code
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith("pip install 'grapevine-share[signatures]'")
    assert len(done.stderr.splitlines()) == 1
