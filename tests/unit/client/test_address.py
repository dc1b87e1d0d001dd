"""Which server is called, and with which key."""

from __future__ import annotations

from pathlib import Path

import pytest

from grapevine.client.address import Address, find_address
from grapevine.client.errors import ClientSettingError

ENVIRON = {"GRAPEVINE_URL": "https://share.example.com/", "GRAPEVINE_KEY": "of-the-environment"}


def test_arguments_come_before_the_environment(tmp_path: Path) -> None:
    assert find_address(None, None, ENVIRON, allow_http=False) == ("https://share.example.com", "of-the-environment")
    given = find_address("https://other.example:8443/below/", " given\n", ENVIRON, allow_http=False)
    assert given == ("https://other.example:8443/below", "given")
    file = tmp_path / "key"
    file.write_text("of-a-file\n")
    environ = {"GRAPEVINE_URL": "https://a.example", "GRAPEVINE_KEY_FILE": str(file)}
    assert find_address(None, None, environ, allow_http=False).key == "of-a-file"


def test_the_key_does_not_print() -> None:
    assert "hunter2" not in repr(Address("https://a.example", "hunter2"))


@pytest.mark.parametrize(
    ("url", "key", "environ", "says"),
    [
        (None, "key", {}, "Which server? Give its address"),
        (None, "key", {"GRAPEVINE_URL": ""}, "Which server?"),
        ("https://a.example", None, {}, "The API key is missing"),
        ("https://a.example", "  ", {}, "The API key is missing"),
        ("https://a.example", "two keys", {}, "holds characters that no key has"),
        ("https://a.example", "a\nHost: b", {}, "holds characters that no key has"),
        ("https://a.example", "schlüssel", {}, "holds characters that no key has"),
        ("https://a.example", None, {"GRAPEVINE_KEY_FILE": "/nowhere"}, "KEY_FILE names /nowhere, which cannot"),
        ("share.example.com", "key", {}, "must look like https://share.example.com"),
        ("ftp://a.example", "key", {}, "must look like"),
        ("https://", "key", {}, "must look like"),
        ("https://a.example:99999", "key", {}, "must look like"),
        ("https://a.example?x", "key", {}, "must look like"),
        ("https://me:hunter2@a.example", "key", {}, "no user name"),
        ("https://a b.example", "key", {}, "must look like"),
        ("https://[::1", "key", {}, "must look like"),
        ("http://a.example", "key", {}, "go to a.example unencrypted"),
        ("http://localhost.a.example", "key", {}, "unencrypted"),
        ("http://127.0.0.1.a.example", "key", {}, "unencrypted"),
        ("http://10.0.0.1", "key", {}, "unencrypted"),
        ("http://[::ffff:10.0.0.1]", "key", {}, "unencrypted"),
    ],
)  # fmt: skip
def test_what_cannot_be_used(url: str | None, key: str | None, environ: dict[str, str], says: str) -> None:
    with pytest.raises(ClientSettingError) as caught:
        find_address(url, key, environ, allow_http=False)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.9.9.9:1", "[::1]:8000"])
def test_this_machine_may_be_called_unencrypted(host: str) -> None:
    assert find_address(f"http://{host}", "key", {}, allow_http=False).url == f"http://{host}"


def test_another_one_only_on_request() -> None:
    assert find_address("http://10.0.0.1", "key", {}, allow_http=True).url == "http://10.0.0.1"
