"""Which server the tools ask, and with which key: from options, else from the environment.

A key is never an argument: other users of the machine see the arguments of every process, and shells and assistants
keep them in files. So it comes from ``GRAPEVINE_KEY``, or from a file that no other user can read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from grapevine.client.address import Address, find_address, is_this_machine
from grapevine.client.errors import ClientSettingError
from grapevine.config.private_files import OTHERS
from grapevine.config.settings import CLIENT_KEY, CLIENT_URL
from grapevine.errors import SettingError

_FILE: Final = "_FILE"
_KEY: Final = re.compile(r"gv_[0-9A-Za-z]{20,200}", re.ASCII)
_LONGEST: Final = 4_096
"""Bytes of a file that are read: one with more is none that holds a key."""


def find_access(environ: Mapping[str, str], server: str | None, key_file: Path | None, *, allow_http: bool) -> Address:
    """Returns what the options say, and for the rest the environment. Raises SettingError.

    Without ``allow_http``, http:// is only for servers on this machine.
    """
    if not server and not environ.get(CLIENT_URL) and not environ.get(CLIENT_URL + _FILE):
        raise SettingError(
            f"which server? Name its address with --server or in {CLIENT_URL}, such as https://share.example.com"
        )
    key = _key(environ, key_file)
    try:
        address = find_address(server, key, environ, allow_http=True)
    except ClientSettingError as error:
        raise SettingError(str(error).rstrip(".")) from None
    parts = urlsplit(address.url)
    if parts.scheme == "http" and not allow_http and not is_this_machine(parts.hostname or ""):
        raise SettingError(
            f"the API key would go to {parts.hostname} unencrypted, where others can read it. Use https://, or say "
            "--allow-http if nobody else is on the way"
        )
    return address


def refuse_keys(arguments: Iterable[str]) -> None:
    """Raises SettingError where one of the arguments holds an API key, without repeating it."""
    if any(_KEY.search(each) for each in arguments):
        raise SettingError(
            "an API key cannot be an argument, because other users of this machine can see the arguments of every "
            f"process. Put it into a file that only you can read, and name that with --key-file, or set {CLIENT_KEY}. "
            "This key has been seen now: revoke it with `grapevine key revoke`"
        )


def _key(environ: Mapping[str, str], key_file: Path | None) -> str:
    value, named = environ.get(CLIENT_KEY, "").strip(), environ.get(CLIENT_KEY + _FILE, "")
    if key_file is not None:
        where, text = "--key-file", _private_text("--key-file", key_file)
    elif value and named:
        raise SettingError(f"{CLIENT_KEY} and {CLIENT_KEY}{_FILE} are both set; use one of them")
    elif named:
        where, text = CLIENT_KEY + _FILE, _private_text(CLIENT_KEY + _FILE, Path(named))
    elif value:
        where, text = CLIENT_KEY, value
    else:
        raise SettingError(
            f"which API key? Set {CLIENT_KEY}, or {CLIENT_KEY}{_FILE} or --key-file to a file that holds it and that "
            "only you can read. `grapevine key add SITE --scope read` makes one"
        )
    if not _KEY.fullmatch(text):
        raise SettingError(f"{where} holds no API key: one begins with gv_, and nothing else stands around it")
    return text


def _private_text(where: str, path: Path) -> str:
    """Returns what a file holds. Raises SettingError for one that cannot be read, or that other users can read."""
    try:
        with path.expanduser().open("rb") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & OTHERS:
                raise SettingError(f"{where}: others can read the key file {path}; run: chmod 600 '{path}'")
            return file.read(_LONGEST).decode().strip()
    except UnicodeDecodeError:
        raise SettingError(f"{where}: the key file {path} holds no text") from None
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", error)
        raise SettingError(f"{where}: the key file {path} cannot be read: {reason}") from None
