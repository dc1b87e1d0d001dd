"""Every setting of the server in one table, and how the environment and a TOML file become ``Settings``.

Each setting is read from ``GRAPEVINE_NAME``, from the file that ``GRAPEVINE_NAME_FILE`` names, or from ``name`` in the
TOML file; the environment wins, and an empty value counts as not set.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from grapevine.domain.did_you_mean import closest
from grapevine.domain.redaction import redacted_repr
from grapevine.domain.typed_origins import parse_origin
from grapevine.domain.urls import UrlError
from grapevine.errors import SettingError

SQLITE: Final = "sqlite:///"
POSTGRES: Final = ("postgresql://", "postgres://")
SHORTEST_KEY: Final = 16
HSTS_SECONDS: Final = 31_536_000
"""What ``GRAPEVINE_HSTS=on`` means: a year, from which on checkers of headers are content."""

CLIENT_URL: Final = "GRAPEVINE_URL"
CLIENT_KEY: Final = "GRAPEVINE_KEY"
CLIENT_VARIABLES: Final = frozenset({CLIENT_URL, f"{CLIENT_URL}_FILE", CLIENT_KEY, f"{CLIENT_KEY}_FILE"})
"""What ``grapevine.client`` reads: no settings of the server, but no mistakes next to them."""

METRICS_READERS: Final = ("off", "local", "key", "open")
"""Who may read ``/metrics``, from no reader to every reader."""

_PREFIX: Final = "GRAPEVINE_"
_FILE: Final = "_FILE"
_NO_PASSWORD: Final = re.compile(r"[a-z]+:/+[^:@]*")
_PATH: Final = re.compile(r"(/[0-9A-Za-z._~-]+)+")
# Kubernetes and Docker links set these for a service that is called "grapevine"; they are not ours.
_FOREIGN: Final = re.compile(r"GRAPEVINE_(SERVICE_HOST|SERVICE_PORT.*|PORT(_\d+_.*)?)")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The server's settings. ``secret_keys`` are oldest first; empty means the key file next to the database."""

    database: str
    secret_keys: tuple[bytes, ...] = ()
    base_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    prefix: str = ""
    retention_days: int = 400
    rate_limit: int = 600
    connections: int = 100
    log: str = "text"
    webhook_networks: tuple[str, ...] = ()
    mention_networks: tuple[str, ...] = ()
    scanner_networks: tuple[str, ...] = ()
    hsts: int | None = None
    metrics: str = "key"

    def __repr__(self) -> str:
        return redacted_repr(self)


class Setting(NamedTuple):
    """One row of the table. ``default`` and ``help`` are for people; ``parse`` raises ValueError with the reason."""

    name: str
    default: str
    help: str
    parse: Callable[[str], Any]
    secret: bool = False

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return _PREFIX + self.name.upper()


def load(environ: Mapping[str, str], config: Path | None = None) -> Settings:
    """Returns the settings of an environment and, below it, of a TOML file. Raises SettingError for an invalid one."""
    written = _from_file(config) if config else {}
    _refuse_unknown(environ)
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        where, text = _from_environment(setting, environ)
        if not text:
            where, text = f"{setting.name} in {config}", written.get(setting.name, "")
        if text:
            values[setting.name] = _parsed(setting, where, text)
    if "database" not in values:  # only then is a home needed
        values["database"] = default_database(environ)
    return Settings(**values)


def default_database(environ: Mapping[str, str]) -> str:
    """The SQLite file in the user's data folder (XDG Base Directory Specification). Raises SettingError for a user
    who has none."""
    data = Path(environ.get("XDG_DATA_HOME", ""))
    if not data.is_absolute():  # the specification says to ignore those
        data = _home(environ) / ".local" / "share"
    return f"{SQLITE}{data / 'grapevine' / 'grapevine.sqlite3'}"


def _home(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME", ""))
    if not home.is_absolute():
        with suppress(RuntimeError):  # neither HOME nor an entry in the list of users
            home = Path.home()
    if not home.is_absolute():
        raise SettingError(
            "GRAPEVINE_DATABASE is not set, and this user has no home folder for a database; set it to the file to "
            f"use, such as GRAPEVINE_DATABASE={SQLITE}/var/lib/grapevine/grapevine.sqlite3"
        )
    return home


def database_path(settings: Settings) -> Path | None:
    """The SQLite file that ``settings`` name; None where they name a PostgreSQL database."""
    return None if settings.database.startswith(POSTGRES) else Path(settings.database.removeprefix(SQLITE))


def redacted_database(settings: Settings) -> str:
    """The database as it may be shown: a file's path, or an address without name and password."""
    path = database_path(settings)
    return redacted_url(settings.database) if path is None else str(path)


def redacted_url(url: str) -> str:
    """The setting of a database without name and password."""
    if not url.startswith(POSTGRES):
        return url
    where = url.partition("://")[2].partition("?")[0].rpartition("@")[2]
    return f"postgresql://{where}"


def _from_file(config: Path) -> dict[str, str]:
    try:
        written = tomllib.loads(config.read_text("utf-8"))
    except OSError as error:
        raise SettingError(f"the settings file {config} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"the settings file {config} is not TOML: {error}") from None
    known = {setting.name: setting for setting in SETTINGS}
    unknown = sorted(written.keys() - known.keys())
    if unknown:
        raise SettingError(f"{unknown[0]} in {config} {_no_setting(unknown[0], known)}")
    return {name: _as_text(known[name], config, value) for name, value in written.items()}


def _as_text(setting: Setting, config: Path, value: object) -> str:
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return ",".join(value)
    if isinstance(value, str) or type(value) is int:
        return str(value)
    kinds = "text, a whole number or a list of texts"
    raise SettingError(f"{setting.name} in {config} is {type(value).__name__}; it must be {kinds}")


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {name for setting in SETTINGS for name in (setting.variable, setting.variable + _FILE)}
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in known | CLIENT_VARIABLES and not _FOREIGN.fullmatch(name):
            names = [setting.variable for setting in SETTINGS]
            raise SettingError(f"{name} {_no_setting(name, names)}, each also as …{_FILE}")


def _no_setting(name: str, names: Iterable[str]) -> str:
    """The end of a sentence about a name that was mistyped, or is of another version."""
    prefix = _PREFIX if name.startswith(_PREFIX) else ""  # which all share, so that it makes no name more similar
    meant = closest(name.removeprefix(prefix), (known.removeprefix(prefix) for known in names))
    said = f"; did you mean {prefix}{meant}? The" if meant else "; the"
    return f"is no setting{said} settings are {', '.join(names)}"


def _from_environment(setting: Setting, environ: Mapping[str, str]) -> tuple[str, str]:
    """Where the value stands, and the value; empty when it is not set."""
    value, file = environ.get(setting.variable, ""), environ.get(setting.variable + _FILE, "")
    if not file:
        return setting.variable, value
    if value:
        raise SettingError(f"{setting.variable} and {setting.variable}{_FILE} are both set; use one of them")
    try:
        return f"{setting.variable}{_FILE}", Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{setting.variable}{_FILE} names {file}, which cannot be read: {error}") from None


def _parsed(setting: Setting, where: str, text: str) -> Any:
    try:
        return setting.parse(text)
    except ValueError as error:
        shown = "" if setting.secret else f" is {text[:200]!r}, which"
        raise SettingError(f"{where}{shown} {error}") from None


def _database(text: str) -> str:
    if text.startswith(POSTGRES):
        path = urlsplit(text).path
        if "@" in path:
            raise ValueError("has a / in its user or password; write it as %2F")
        if not path.strip("/"):
            raise ValueError("names no database; write postgresql://USER:PASSWORD@HOST/DATABASE")
        return text
    path = text.removeprefix(SQLITE)
    if path == text or not path or path.endswith("/"):
        shown = f" {text[:200]!r}" if _NO_PASSWORD.fullmatch(text) else ""
        raise ValueError(
            f"is no database{shown}; write {SQLITE}relative/file, {SQLITE}/absolute/file or postgresql://HOST/DATABASE"
        )
    return text


def _secret_keys(text: str) -> tuple[bytes, ...]:
    keys = tuple(key.encode() for key in re.split(r"[,\s]+", text) if key)
    if any(len(key) < SHORTEST_KEY for key in keys):
        raise ValueError(f"holds a key of fewer than {SHORTEST_KEY} characters, which could be guessed")
    if len(set(keys)) < len(keys):
        raise ValueError("holds the same key twice")
    return keys


def _base_url(text: str) -> str:
    if "*" in text:
        raise ValueError("must be one address, without a * in it (for instance https://share.example.com)")
    try:
        return parse_origin(text)
    except UrlError as error:
        raise ValueError(f"{error} (for instance https://share.example.com)") from None


def _networks(text: str) -> tuple[str, ...]:
    networks = tuple(entry.strip() for entry in text.split(",") if entry.strip())
    for entry in networks:
        try:
            ip_network(entry, strict=False)
        except ValueError:
            raise ValueError(f"holds {entry!r}; write addresses or networks such as 127.0.0.1, 10.0.0.0/8") from None
    return networks


def _lines_of_networks(text: str) -> tuple[str, ...]:
    return _networks(",".join(text.split()))


def _prefix(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError("must be a path that begins with / and does not end with it, such as /g")
    return text


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def _hsts(text: str) -> int | None:
    if text in ("off", "on"):
        return HSTS_SECONDS if text == "on" else None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError("must be off, on, or how many seconds browsers shall use https alone")
    return int(text)


def _metrics(text: str) -> str:
    if text not in METRICS_READERS:
        raise ValueError(f"must be one of {', '.join(METRICS_READERS)}")
    return text


def _log(text: str) -> str:
    if text not in ("text", "json"):
        raise ValueError("must be text or json")
    return text


SETTINGS: Final = (
    Setting(
        "database",
        "`sqlite:///` + `~/.local/share/grapevine/grapevine.sqlite3`",
        "The database URL: `sqlite:///relative/file`, `sqlite:////absolute/file` or "
        "`postgresql://user:password@host/database`. The default follows `XDG_DATA_HOME`.",
        _database,
        secret=True,
    ),
    Setting(
        "secret_keys",
        "the file `secret-keys` next to the database",
        "Keys that sign tokens: comma-separated, oldest first, "
        f"at least {SHORTEST_KEY} characters each. All of them verify; which one signs, at first the last, changes "
        "with `grapevine secret rotate`. "
        "When not set, the server creates the file at its first start, readable by its owner alone; with PostgreSQL "
        "they have to be set, the same for every process.",
        _secret_keys,
        secret=True,
    ),
    Setting(
        "base_url",
        "the address it listens on",
        "The address at which browsers reach this server, such as `https://share.example.com`: for the snippet and QR "
        "codes. Behind a proxy it has to be set, since the `Host` of a request is not believed.",
        _base_url,
    ),
    Setting(
        "trusted_proxies",
        "none",
        "Addresses or networks of proxies, comma-separated, whose `X-Forwarded-For` and `X-Forwarded-Proto` "
        "are trusted.",
        _networks,
    ),
    Setting(
        "prefix",
        "none",
        "Prefix of the paths of the script and the collect API, such as `/g`, where `/v1` is taken or blocked.",
        _prefix,
    ),
    Setting(
        "retention_days",
        "400",
        "How many days visits are kept, and all that hangs on them. Older ones are deleted, counts stay. 0 = for ever.",
        _whole_number(0, 36_500),
    ),
    Setting(
        "rate_limit",
        "600",
        "Calls without a key a minute, of each network (IPv4 address, IPv6 /64) at each site. Ten times as many of one "
        "IPv4 address or IPv6 /48 at all sites together, two hundred times as many at one site. 0 = no limit.",
        _whole_number(0, 1_000_000),
    ),
    Setting(
        "connections",
        "100",
        "Open connections of one address (IPv6: of one /64) to one process. A further one takes the place of "
        "one that waits between two requests, or else is closed at once. Trusted proxies are excepted. 0 = no limit.",
        _whole_number(0, 1_000_000),
    ),
    Setting("log", "text", "Format of the log, one event a line: `text` for people or `json` for programs.", _log),
    Setting(
        "webhook_networks",
        "none",
        "Private networks, comma-separated, such as `10.0.0.0/8`, to which webhooks may be sent, also without TLS. "
        "All other receivers have to be public and `https://`.",
        _networks,
    ),
    Setting(
        "mention_networks",
        "none",
        "Private networks, comma-separated, such as `10.0.0.0/8`, in which sources of webmentions and feeds may be. "
        "Everybody who can reach this server can have it ask addresses there: for servers inside a network alone.",
        _networks,
    ),
    Setting(
        "scanner_networks",
        "none",
        "Networks, separated by commas or lines, from which programs that check mails open links: those of clouds. "
        "An opening from there is [a sign](suspects.md#openings-that-come-alone), which alone decides nothing. "
        "`GRAPEVINE_SCANNER_NETWORKS_FILE` names a file of them.",
        _lines_of_networks,
    ),
    Setting(
        "hsts",
        "off",
        "Whether every answer tells browsers to use https alone for this host (HSTS, not for its subdomains): `off`, "
        "`on` (a year) or a number of seconds. Browsers remember it: start with 300, and `0` makes them forget.",
        _hsts,
    ),
    Setting(
        "metrics",
        "key",
        "Who may read `/metrics`: `off` (no reader), `local` (programs on this machine that ask directly; not for "
        "use behind a proxy that adds no header such as `X-Forwarded-For`, as nginx's bare "
        "`proxy_pass`), `key` (an API key that reaches every site of this server) or `open` (everybody).",
        _metrics,
    ),
)
