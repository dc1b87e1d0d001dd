"""Which server a program asks, and with which key."""

from __future__ import annotations

from pathlib import Path

import pytest

from grapevine.errors import SettingError
from grapevine.mcp_server.access import find_access, refuse_keys

KEY = "gv_" + "k" * 40
URL = "https://share.example.com"


def key_file(folder: Path, text: str = KEY, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_options_come_before_the_environment(tmp_path: Path) -> None:
    environ = {"GRAPEVINE_URL": "https://other.example", "GRAPEVINE_KEY": "gv_" + "o" * 40}
    given = find_access(environ, f"{URL}/", key_file(tmp_path, f"{KEY}\n"), allow_http=False)
    assert given == (URL, KEY)
    assert find_access(environ, None, None, allow_http=False) == ("https://other.example", "gv_" + "o" * 40)
    assert KEY not in repr(given)


def test_each_variable_may_name_a_file(tmp_path: Path) -> None:
    address = tmp_path / "address"
    address.write_text(f"{URL}\n")
    address.chmod(0o644)  # an address is no secret
    environ = {"GRAPEVINE_URL_FILE": str(address), "GRAPEVINE_KEY_FILE": str(key_file(tmp_path))}
    assert find_access(environ, None, None, allow_http=False) == (URL, KEY)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
@pytest.mark.parametrize("is_option", [False, True])
def test_a_key_file_that_others_can_read(tmp_path: Path, mode: int, is_option: bool) -> None:
    path = key_file(tmp_path, mode=mode)
    environ = {} if is_option else {"GRAPEVINE_KEY_FILE": str(path)}
    with pytest.raises(SettingError, match=f": others can read the key file {path}; run: chmod 600 '{path}'"):
        find_access(environ, URL, path if is_option else None, allow_http=False)


@pytest.mark.parametrize(
    ("environ", "server", "says"),
    [
        ({"GRAPEVINE_KEY": KEY}, None, "which server? Name its address with --server or in GRAPEVINE_URL, such as"),
        ({"GRAPEVINE_KEY": KEY}, "share.example.com", "The address of the server must look like https://share.example"),
        ({"GRAPEVINE_KEY": KEY, "GRAPEVINE_URL": "ftp://a"}, None, "The address of the server must look like https://"),
        (
            {"GRAPEVINE_KEY": KEY},
            "http://192.0.2.1:8000",
            "the API key would go to 192.0.2.1 unencrypted, where others",
        ),
        ({}, URL, "which API key? Set GRAPEVINE_KEY, or GRAPEVINE_KEY_FILE or --key-file to a file that holds it"),
        ({"GRAPEVINE_KEY": "3kTz9Qa1"}, URL, "GRAPEVINE_KEY holds no API key: one begins with gv_, and nothing else"),
        ({"GRAPEVINE_KEY": f"Bearer {KEY}"}, URL, "GRAPEVINE_KEY holds no API key"),
        ({"GRAPEVINE_KEY": KEY, "GRAPEVINE_KEY_FILE": "x"}, URL, "GRAPEVINE_KEY and GRAPEVINE_KEY_FILE are both set"),
        (
            {"GRAPEVINE_KEY_FILE": "/nowhere"},
            URL,
            "GRAPEVINE_KEY_FILE: the key file /nowhere cannot be read: No such file",
        ),
        ({"GRAPEVINE_KEY_FILE": "/dev"}, URL, "GRAPEVINE_KEY_FILE: the key file /dev cannot be read: Is a directory"),
    ],
)
def test_what_is_wrong(environ: dict[str, str], server: str | None, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        find_access(environ, server, None, allow_http=False)
    assert says in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("text", ["no text: \udcff", "", "two " + KEY, KEY * 200])
def test_a_file_without_a_key(tmp_path: Path, text: str) -> None:
    path = key_file(tmp_path, "")
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SettingError) as caught:
        find_access({}, URL, path, allow_http=False)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "arguments", [["mcp", "--key", KEY], ["mcp", f"--key-file={KEY}"], [KEY], ["--site", f" {KEY} "]]
)
def test_a_key_as_an_argument(arguments: list[str]) -> None:
    with pytest.raises(SettingError, match="an API key cannot be an argument, because other users") as caught:
        refuse_keys(arguments)
    assert KEY not in str(caught.value)


def test_http_is_for_this_machine_unless_it_is_allowed() -> None:
    environ = {"GRAPEVINE_KEY": KEY}
    for server in ("http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"):
        assert find_access(environ, server, None, allow_http=False) == (server, KEY)
    assert find_access(environ, "http://192.0.2.1:8000", None, allow_http=True) == ("http://192.0.2.1:8000", KEY)


def test_other_arguments() -> None:
    refuse_keys(["mcp", "--key-file", "gv_key", "https://a.example/#gv-1r6JZQm2vKc9XtB4nWs8LdP"])
