"""Settings from environment, files and TOML; their refusals; their documentation; the key file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from grapevine.config.secret_keys import KEY_FILE, key_file, with_secret_keys
from grapevine.config.settings import SETTINGS, Settings, database_path, load
from grapevine.errors import SettingError
from grapevine.store.factory import make_store
from grapevine.store.sqlite.store import SQLiteStore

HOME = {"HOME": "/home/ann"}
KEY = "a-secret-of-sixteen-or-more"


def keys_of(settings: Settings) -> Path:
    file = key_file(settings)
    assert file is not None
    return file


def test_nothing_set() -> None:
    assert load(HOME) == Settings(database="sqlite:////home/ann/.local/share/grapevine/grapevine.sqlite3")


def test_every_setting_in_the_environment() -> None:
    settings = load(
        {
            "GRAPEVINE_DATABASE": "sqlite:///here.sqlite3",
            "GRAPEVINE_SECRET_KEYS": f"{KEY}-old, {KEY}-new",
            "GRAPEVINE_BASE_URL": "https://Share.example.com/",
            "GRAPEVINE_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8, ::1",
            "GRAPEVINE_PREFIX": "/g",
            "GRAPEVINE_RATE_LIMIT": "0",
            "GRAPEVINE_LOG": "json",
        }
    )
    assert settings == Settings(
        database="sqlite:///here.sqlite3",
        secret_keys=(f"{KEY}-old".encode(), f"{KEY}-new".encode()),
        base_url="https://share.example.com",
        trusted_proxies=("127.0.0.1", "10.0.0.0/8", "::1"),
        prefix="/g",
        rate_limit=0,
        log="json",
    )


def test_data_folder_of_the_user() -> None:
    assert load({"XDG_DATA_HOME": "/data"}).database == "sqlite:////data/grapevine/grapevine.sqlite3"
    assert load(HOME | {"XDG_DATA_HOME": "relative"}).database.startswith("sqlite:////home/ann/")


def test_values_from_files(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{KEY}-old\n{KEY}-new\n")
    assert load(HOME | {"GRAPEVINE_SECRET_KEYS_FILE": str(file)}).secret_keys == (
        f"{KEY}-old".encode(),
        f"{KEY}-new".encode(),
    )


def test_toml_below_the_environment(tmp_path: Path) -> None:
    config = tmp_path / "grapevine.toml"
    config.write_text('log = "json"\nrate_limit = 5\ntrusted_proxies = ["::1", "10.0.0.0/8"]\n')
    settings = load(HOME | {"GRAPEVINE_RATE_LIMIT": "7", "GRAPEVINE_LOG": ""}, config)
    assert (settings.log, settings.rate_limit, settings.trusted_proxies) == ("json", 7, ("::1", "10.0.0.0/8"))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE", "mysql://u@h/d", "no database; write sqlite:///"),
        ("DATABASE", "sqlite:///", "is no database 'sqlite:///'"),
        ("DATABASE", "postgresql://u:hunter2@h/", "names no database"),
        ("DATABASE", "postgresql://u:hunter2/x@h/d", "has a / in its user or password"),
        ("SECRET_KEYS", "hunter2", "fewer than 16 characters"),
        ("SECRET_KEYS", f"{KEY},{KEY}", "same key twice"),
        ("BASE_URL", "share.example.com", "must begin with http:// or https://"),
        ("BASE_URL", "https://example.com/path", "is more than an origin"),
        ("BASE_URL", "https://*.example.com", "must be one address, without a * in it"),
        ("TRUSTED_PROXIES", "proxy.example.com", "addresses or networks"),
        ("PREFIX", "g", "begins with /"),
        ("PREFIX", "/g/", "begins with /"),
        ("RATE_LIMIT", "-1", "from 0 to 1000000"),
        ("RETENTION_DAYS", "-1", "a whole number from 0 to 36500"),
        ("RETENTION_DAYS", "a year", "a whole number from 0 to 36500"),
        ("RATE_LIMIT", "a few", "from 0 to 1000000"),
        ("RATE_LIMIT", "٣", "from 0 to"),
        ("LOG", "xml", "must be text or json"),
        ("NONSENSE", "1", "GRAPEVINE_NONSENSE is no setting; the settings are GRAPEVINE_DATABASE"),
        ("SECRET_KEYS_FILE", "/nowhere/at/all", "/nowhere/at/all, which cannot be read"),
    ],
)
def test_wrong_values(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        load(HOME | {f"GRAPEVINE_{name}": value})
    message = str(caught.value)
    assert f"GRAPEVINE_{name}" in message
    assert says in message
    assert "\n" not in message
    assert "hunter2" not in message
    assert KEY not in message


def test_a_value_and_its_file_at_once() -> None:
    with pytest.raises(SettingError, match="GRAPEVINE_LOG and GRAPEVINE_LOG_FILE are both set"):
        load(HOME | {"GRAPEVINE_LOG": "json", "GRAPEVINE_LOG_FILE": "/tmp/x"})  # noqa: S108


@pytest.mark.parametrize("name", ["GRAPEVINE_PORT", "GRAPEVINE_SERVICE_HOST", "GRAPEVINE_PORT_8000_TCP_ADDR"])
def test_what_kubernetes_sets_for_a_service_called_grapevine(name: str) -> None:
    assert load(HOME | {name: "tcp://10.0.0.1:8000"}) == load(HOME)


@pytest.mark.parametrize("name", ["GRAPEVINE_URL", "GRAPEVINE_KEY", "GRAPEVINE_KEY_FILE"])
def test_what_a_client_on_the_same_machine_reads(name: str) -> None:
    assert load(HOME | {name: "https://share.example.com"}) == load(HOME)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour = 'red'", "colour in .* is no setting"),
        ("rate_limit = 'many'", "rate_limit in .* is 'many', which must be a whole number"),
        ("rate_limit = 1.5", "rate_limit in .* is float"),
        ("log = true", "log in .* is bool"),
        ("log =", "is not TOML"),
    ],
)
def test_wrong_toml(tmp_path: Path, text: str, says: str) -> None:
    config = tmp_path / "grapevine.toml"
    config.write_text(text)
    with pytest.raises(SettingError, match=says):
        load(HOME, config)


def test_missing_toml(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"missing\.toml cannot be read: No such file"):
        load(HOME, tmp_path / "missing.toml")


def test_secrets_do_not_print() -> None:
    settings = load(HOME | {"GRAPEVINE_SECRET_KEYS": KEY})
    assert KEY not in repr(settings)
    assert "secret_keys=<1 hidden>" in repr(settings)


def test_every_setting_is_a_field_and_the_other_way_round() -> None:
    assert [setting.name for setting in SETTINGS] == list(Settings.__struct_fields__)


def test_the_table_is_documented(project_root: Path) -> None:
    text = (project_root / "docs/settings.md").read_text("utf-8")
    documented = text.partition("<!-- settings -->\n")[2].partition("<!-- /settings -->")[0]
    rows = [f"| `{setting.variable}` | {setting.default} | {setting.help} |\n" for setting in SETTINGS]
    assert documented == "".join(["| variable | default | what it does |\n", "|---|---|---|\n", *rows])


def test_stores(tmp_path: Path) -> None:
    absolute = Settings(database=f"sqlite:///{tmp_path}/x.sqlite3")
    assert database_path(absolute) == tmp_path / "x.sqlite3"
    assert database_path(Settings(database="sqlite:///x/y.sqlite3")) == Path("x/y.sqlite3")
    assert isinstance(make_store(absolute), SQLiteStore)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings without keys, for a database in a folder that is not there yet."""
    return Settings(database=f"sqlite:///{tmp_path}/data/grapevine.sqlite3")


def test_the_key_file_is_made_once_and_for_its_owner_alone(settings: Settings) -> None:
    keys = with_secret_keys(settings).secret_keys
    file = keys_of(settings)
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(keys) == 1
    assert len(keys[0]) == 43
    assert with_secret_keys(settings).secret_keys == keys
    assert [entry.name for entry in file.parent.iterdir()] == [KEY_FILE]


def test_starters_at_the_same_time_agree(settings: Settings) -> None:
    numbers = count()
    with ThreadPoolExecutor(16) as pool:
        found = list(
            pool.map(lambda _: with_secret_keys(settings, lambda: f"{KEY}-{next(numbers)}").secret_keys, range(64))
        )
    assert len(set(found)) == 1


def test_keys_that_were_given_need_no_file(settings: Settings) -> None:
    given = Settings(database=settings.database, secret_keys=(b"given",))
    assert with_secret_keys(given) is given
    assert not keys_of(settings).parent.exists()


def test_a_rotated_key_file(settings: Settings) -> None:
    with_secret_keys(settings, lambda: f"{KEY}-old")
    with keys_of(settings).open("a") as file:
        file.write(f"{KEY}-new\n")
    assert with_secret_keys(settings).secret_keys == (f"{KEY}-old".encode(), f"{KEY}-new".encode())


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [(KEY, 0o640, "chmod 600"), ("", 0o600, "must hold keys"), ("short", 0o600, "must hold keys")],
)
def test_key_files_that_are_refused(settings: Settings, text: str, mode: int, says: str) -> None:
    file = keys_of(settings)
    file.parent.mkdir()
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(SettingError, match=says):
        with_secret_keys(settings)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match=r"secret_keys: the key file .* cannot be used"):
        with_secret_keys(Settings(database=f"sqlite:///{tmp_path}/file/x.sqlite3"))


def test_the_networks_of_scanners_may_stand_in_a_file_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "networks"
    file.write_text("203.0.113.0/24\n198.51.100.0/24,192.0.2.1\n\n2001:db8::/32\n", "utf-8")
    settings = load({"HOME": "/home/u", "GRAPEVINE_SCANNER_NETWORKS_FILE": str(file)})
    assert settings.scanner_networks == ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.1", "2001:db8::/32")
    with pytest.raises(SettingError, match="holds 'aws'"):
        load({"HOME": "/home/u", "GRAPEVINE_SCANNER_NETWORKS": "aws"})
