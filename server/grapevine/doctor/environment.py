"""The checks of settings and files. None of them creates or changes anything."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from grapevine.config.private_files import open_to_others
from grapevine.config.secret_keys import file_keys, key_file
from grapevine.config.settings import Settings, database_path
from grapevine.doctor.findings import Finding, bad, good
from grapevine.errors import SettingError, StoreError
from grapevine.keyring.keyring import signing_order
from grapevine.store.factory import schema_version
from grapevine.store.repositories.fingerprints import KnownKey
from grapevine.store.schema_version import UNFINISHED_COPY, newest_version
from grapevine.store.sqlite.files import database_files

SCARCE_BYTES: Final = 1 << 30


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Finds settings that are valid but contradict each other."""
    address = urlsplit(settings.base_url) if settings.base_url else None
    if address is None and settings.trusted_proxies:
        yield bad(
            "base URL",
            "A proxy is trusted, but GRAPEVINE_BASE_URL is not set: snippets name an address "
            "inside, and there are no QR codes.",
            "Set GRAPEVINE_BASE_URL to the address under which browsers reach this server.",
        )
    elif address is None:
        yield good(
            "base URL",
            "GRAPEVINE_BASE_URL is not set; snippets and QR codes name the address that the server listens on.",
        )
    elif address.scheme == "http" and not _is_local(address.hostname or ""):
        yield bad(
            "base URL",
            f"{settings.base_url} is not https: browsers do not load its script into pages that are.",
            "Put a proxy with a certificate in front and name its https address.",
        )
    else:
        yield good("base URL", f"Browsers reach this server under {settings.base_url}.")
    if address is not None and address.scheme == "https" and not settings.trusted_proxies:
        yield bad(
            "proxies",
            "The base URL is https, so a proxy stands in front, but none is trusted: all visitors share its address, "
            "which makes them one visitor and runs them into one rate limit.",
            "Set GRAPEVINE_TRUSTED_PROXIES to the proxy's address, such as 127.0.0.1.",
        )
    else:
        trusted = ", ".join(settings.trusted_proxies)
        yield good("proxies", f"Trusted: {trusted}." if trusted else "None is trusted, as none is expected.")


def check_keys(settings: Settings, known: Sequence[KnownKey], *, in_use: bool) -> Finding:
    """Checks the keys that sign tokens: whether the database knows them, and the permissions of their file.

    ``in_use`` says that tokens may exist already, ``known`` which keys the database is used with.
    """
    if settings.secret_keys:
        return _compared(settings.secret_keys, known, "They come from GRAPEVINE_SECRET_KEYS.")
    path = key_file(settings)
    if path is None:
        return bad(
            "secret keys",
            "They are not set, and a PostgreSQL database has no key file beside it.",
            "Set GRAPEVINE_SECRET_KEYS, to the same for every process; to those in use, if there are visits already.",
        )
    if not path.exists() and not in_use and not known:
        return good("secret keys", f"The first start makes them, in {path}.")
    if not path.exists():
        return bad(
            "secret keys",
            f"There are visits, but the key file {path} is gone: tokens shared so far would no longer be good."
            if in_use
            else f"The database is used with keys, but the key file {path} is gone.",
            "Put the file back from a backup before the server starts again.",
        )
    try:
        keys = file_keys(settings)
    except SettingError as error:
        return bad("secret keys", f"{error}.", "Do what it says: who knows a key can forge tokens.")
    return _compared(keys, known, f"{path} can be read by its owner alone.")


def _compared(keys: Sequence[bytes], known: Sequence[KnownKey], says: str) -> Finding:
    try:
        signing_order(keys, known)
    except SettingError as error:
        return bad("secret keys", f"{error}.", "Put back the keys of before, or accept these, as it says.")
    waiting = ", ".join(key.fingerprint for key in known if key.rotation is None)
    if waiting:
        says = f"{says} {waiting} waits to sign: run grapevine secret rotate."
    return good("secret keys", says)


def check_permissions(database: Path) -> Finding:
    """Checks that no other user of the machine can use the folder and the files of a SQLite database."""
    folder = database.absolute().parent
    modes = {path: open_to_others(path) for path in (folder, *database_files(database.absolute()))}
    wide = {path: mode for path, mode in modes.items() if mode is not None}
    if not wide:
        return good("permissions", f"The database in {folder} can be used by its owner alone.")
    named = " and ".join(f"{path} (mode {mode:o})" for path, mode in wide.items())
    return bad(
        "permissions",
        f"Other users of this machine may use {named}.",
        " && ".join(f"chmod {'700' if path == folder else '600'} {shlex.quote(str(path))}" for path in wide)
        + ("; or keep the database in a folder of its own" if folder in wide else ""),
    )


def check_disk(database: Path) -> Finding:
    """Checks the free space on the database's disk."""
    folder = next(parent for parent in database.absolute().parents if parent.exists())
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return bad("disk", f"{folder} cannot be looked at: {error.strerror}.", "Check the disk and its permissions.")
    shown = f"{free / (1 << 30):,.1f} GiB free in {folder}."
    if free < SCARCE_BYTES:
        return bad("disk", shown, "Make room: without any, collecting stops and browsers are told to try again.")
    return good("disk", shown)


async def check_schema(settings: Settings) -> Finding:
    """Checks that the database has the schema of this version, and all rows of a copy."""
    newest = newest_version()
    path = database_path(settings)
    if path is not None and not path.exists():
        return bad("schema", f"There is no database {path} yet.", "Start the server, or run: grapevine migrate")
    try:
        version = await schema_version(settings)
    except StoreError as error:
        fix = "Check the file and its permissions, or restore a backup."
        return bad("schema", f"{error}.", fix if path else "Check GRAPEVINE_DATABASE and the database server.")
    if not version:
        return bad("schema", "The database has no tables yet.", "Start the server, or run: grapevine migrate")
    if version == UNFINISHED_COPY:
        return bad(
            "schema",
            "It is an unfinished copy, so its rows are missing.",
            "Run the same grapevine copy again, which starts over; start no server before.",
        )
    if version < newest:
        return bad("schema", f"It is version {version} of {newest}.", "Start the server, or run: grapevine migrate")
    if version > newest:
        return bad("schema", f"It is version {version}, and this Grapevine knows {newest}.", "Run a newer Grapevine.")
    return good("schema", f"Version {version}, the newest.")


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
