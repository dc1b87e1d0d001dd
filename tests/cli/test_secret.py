"""``grapevine secret``: a new key signs, other keys are accepted on purpose, and refused otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from grapevine.config.settings import Settings
from grapevine.keyring.derivation import fingerprint
from tests.cli.terminal import Terminal, findings

OLD: Final = "the-old-key-of-the-settings"
OTHER: Final = "another-key-of-the-settings"


def keys_of(file: Path) -> list[bytes]:
    return file.read_bytes().split()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secret-keys"


def settings_with(run: Terminal, monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """Sets the keys of commands, and of servers that are started from now on."""
    run.settings = Settings(database=run.settings.database, secret_keys=tuple(key.encode() for key in keys.split(",")))
    monkeypatch.setenv("GRAPEVINE_SECRET_KEYS", keys)


def test_a_new_key_in_the_file_signs_and_old_links_stay_valid(run: Terminal, file: Path) -> None:
    site = run.add_site()
    old = run.chain(site)[-1]["tokens"]["copy"]
    done = run("secret", "rotate")
    (first, new) = keys_of(file)
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        f"The key {fingerprint(new)} signs from now on. Links that were signed with the older keys stay valid.\n"
    )
    assert run("token", "inspect", old).status == 0
    again = run("secret", "rotate", "--json")
    assert again.json == {"key": fingerprint(keys_of(file)[2]), "signs": True}
    assert keys_of(file)[:2] == [first, new]
    assert run("token", "inspect", run.chain(site)[-1]["tokens"]["copy"]).status == 0
    assert findings(run("doctor", "--json"))["secret keys"]["ok"]


def test_keys_of_the_settings_rotate_in_two_calls(run: Terminal, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    settings_with(run, monkeypatch, OLD)
    run.chain(run.add_site())
    printed = run("secret", "rotate")
    assert printed.status == 0
    variable, _, keys = printed.out.strip().partition("=")
    assert (variable, keys.split(",")[0], len(keys.split(","))) == ("GRAPEVINE_SECRET_KEYS", OLD, 2)
    name = fingerprint(keys.split(",")[1].encode())
    assert f"{name}, is new and does not sign yet" in printed.err
    assert f"{name} waits to sign" in findings(run("doctor", "--json"))["secret keys"]["says"]
    refused = run("secret", "rotate")
    assert (refused.status, refused.out) == (1, "")
    assert "--start-over" in refused.err
    settings_with(run, monkeypatch, keys)
    assert run("secret", "rotate").out.startswith(f"The key {name} signs from now on.")
    settings_with(run, monkeypatch, OLD)
    assert f"the key {name}, which signs, is missing" in run("secret", "rotate").err
    assert not file.exists()


def test_a_printed_list_that_was_lost_is_started_over(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_with(run, monkeypatch, OLD)
    run.chain(run.add_site())
    first = run("secret", "rotate", "--json").json
    second = run("secret", "rotate", "--start-over", "--json").json
    assert first["signs"] is second["signs"] is False
    assert first["secret_keys"] != second["secret_keys"]
    settings_with(run, monkeypatch, first["secret_keys"])
    assert f"the key {first['key']} is not known to the database" in run("secret", "rotate").err


def test_other_keys_are_refused_until_they_are_accepted(
    run: Terminal, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    site = run.add_site()
    token = run.chain(site)[-1]["tokens"]["copy"]
    settings_with(run, monkeypatch, OTHER)
    for command in (["token", "inspect", token], ["stats", site], ["export", site, "shares"], ["secret", "rotate"]):
        done = run(*command)
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1), command
        assert f"the key {fingerprint(keys_of(file)[0])}, which signs, is missing" in done.err
        assert f"the key {fingerprint(OTHER.encode())} is not known to the database" in done.err
        assert done.err.endswith("run: grapevine secret accept\n")
    wrong = findings(run("doctor", "--json"))["secret keys"]
    assert not wrong["ok"]
    accepted = run("secret", "accept")
    name = fingerprint(OTHER.encode())
    assert (accepted.status, accepted.out) == (0, f"The database is used with {name}; {name} signs.\n")
    assert run("token", "inspect", token).status == 1
    assert run("token", "inspect", run.chain(site)[-1]["tokens"]["copy"]).status == 0


def test_a_key_that_was_added_by_hand_waits_for_a_rotation(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_with(run, monkeypatch, OLD)
    run.chain(run.add_site())
    settings_with(run, monkeypatch, f"{OLD},{OTHER}")
    names = [fingerprint(OTHER.encode()), fingerprint(OLD.encode())]
    assert run("secret", "accept", "--json").json == {"keys": names, "signs": names[1], "waiting": names[:1]}
    assert f"{names[0]} waits: `grapevine secret rotate` makes it sign." in run("secret", "accept").out
    assert run("secret", "rotate", "--json").json == {"key": names[0], "signs": True}


def test_a_key_file_that_is_gone_is_not_made_anew(run: Terminal, file: Path) -> None:
    site = run.add_site()
    token = run.chain(site)[-1]["tokens"]["copy"]
    kept = file.read_bytes()
    file.unlink()
    for command in (["serve", "--port", "0"], ["token", "inspect", token], ["secret", "rotate"]):
        done = run(*command)
        assert (done.status, done.out) == (2, ""), command
        assert "which signs, is missing" in done.err
        assert not file.exists()
    file.write_bytes(kept)
    file.chmod(0o600)
    assert run("token", "inspect", token).status == 0


def test_nothing_is_rotated_before_the_first_start(run: Terminal) -> None:
    run.add_site()
    done = run("secret", "rotate")
    assert (done.status, done.out) == (1, "")
    assert "start the server first" in done.err
