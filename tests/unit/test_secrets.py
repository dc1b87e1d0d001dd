"""No representation of a value shows a secret: every struct, dataclass and named tuple of the server is tried."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import traceback
from functools import cache
from typing import Any

import msgspec
import pytest

import grapevine
from grapevine.config.settings import Settings, load
from grapevine.errors import SettingError

SUSPICIOUS = re.compile(
    r"(?:^|_)(secrets?|salts?|passwords?|keys?|hash|hashes|digest|cookies?|credentials?|database)(?:_|$)"
)
SENTINEL = "hunter2-never-shown"
PUBLIC = {
    "analytics.attribution._Listed.keys",  # of rows
    "analytics.breakdown._Position.key",
    "analytics.metrics.BreakdownRow.key",
    "analytics.models.attribution.CreditRow.key",
    "analytics.models.attribution.ShareCredit.key",
    "analytics.rates.RateRow.key",
    "cli.demo.Demo.database",  # a file that is thrown away
    "collect.list_overrides.ReferrerKey.key",
    "collect.recent_refusals.RecentRefusal.key",  # a site's, from a page
    "config.settings.Settings.database",  # of its URL the password is hidden: see below
    "config.settings.Setting.secret",  # whether it is one
    "doctor.page.embeds.Embed.key",  # a site's, from a page
    "receipts.document.PublicKeys.keys",
    "receipts.verification._KeySet.keys",
    "store.repositories.receipts.ReceiptKeyRow.public_key",
    "sites.platforms.Platform.key",  # a word, such as wordpress
    "sites.management.NewSite.key",  # a NewKey
    "store.copy.schema.CopiedTable.key_indexes",
    "store.copy.backup.BackupSummary.keys",  # the path of their file
    "store.readers.exports.KeysetScan.key",
    "store.repositories.consistency.CountComparison.key",
    "store.repositories.consistency.CountDifference.key",
    "store.repositories.page_joins.PagedTable.key",  # the columns of a table's key
    "store.repositories.site_deletion.DeletedSite.key",  # a site's
    "store.rows.SiteRow.key",  # it stands in every page
    "api_schemas.keys.KeyList.keys",  # their secrets are not among their fields
    "store.repositories.api_keys.KeyPosition.key_id",
    "store.rows.KeptAnswer.key_id",
    "store.rows.KeyRow.key_id",
    "web.api.call.KeyCall.key",  # a KeyRow
    "web.api.keys._Position.key_id",
    "web.api.call.SiteCall.key",
    "analytics.mentions._Position.mention_key",  # a hash of an address
    "analytics.answers._Position.event_key",
    "referrals.settling.ReferredConversion.key",  # of its row
    "web.api.operation.Operation.with_key",  # the name of a call
    "web.dashboard.page.Viewer.key",  # a KeyRow
    "web.server_metrics.families.Family.keys",  # values of labels
    "web.state.AppState.key_usage",
    "writer.name_bounds.Taken.key",
    "writer.shares.ShareChange.key",
}
"""Fields whose names sound like a secret, and that hold none. A new field is added here only when that is so."""


@cache
def kinds() -> dict[str, type[Any]]:
    """Every class of the server that has named fields, by its name."""
    found: dict[str, type[Any]] = {}
    for module in pkgutil.walk_packages(grapevine.__path__, "grapevine."):
        if module.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name and fields(value):
                found[f"{module.name}.{value.__name__}"] = value
    return found


def fields(kind: type[Any]) -> tuple[str, ...]:
    """The names of its fields; none for other classes."""
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return tuple(getattr(kind, "_fields", ())) if issubclass(kind, tuple) else ()


def made(kind: type[Any]) -> Any:
    """An instance whose every text is the sentinel."""
    names = fields(kind)
    if issubclass(kind, msgspec.Struct | tuple):
        return kind(**dict.fromkeys(names, SENTINEL))
    value = object.__new__(kind)
    for name in names:
        object.__setattr__(value, name, SENTINEL)
    return value


def suspicious(kind: type[Any]) -> list[str]:
    """The fields whose name sounds like a secret; a key that is a number opens nothing."""
    types = {
        field: getattr(found, "__forward_arg__", found)
        for each in reversed(kind.__mro__)
        for field, found in vars(each).get("__annotations__", {}).items()
    }
    return [
        field
        for field in fields(kind)
        if SUSPICIOUS.search(field) and not ("key" in field and types.get(field) in ("int", "int | None", "Key"))
    ]


def leaks(name: str, kind: type[Any]) -> list[str]:
    """The fields with a suspicious name that its representation shows."""
    suspects = [field for field in suspicious(kind) if f"{name}.{field}" not in PUBLIC]
    if not suspects:
        return []
    value = made(kind)
    shown = f"{value!r} {value} {[value]}"
    return [f"{name}.{field}" for field in suspects if re.search(rf"\b{field}=\W?{SENTINEL}", shown)]


def test_every_suspicious_field_is_hidden_or_known_as_public() -> None:
    found = {name.removeprefix("grapevine."): kind for name, kind in kinds().items()}
    assert len(found) > 100
    asked = {f"{name}.{field}" for name, kind in found.items() for field in suspicious(kind)}
    assert sorted(PUBLIC - asked) == []
    assert len(asked - PUBLIC) >= 6
    assert [leak for name, kind in found.items() for leak in leaks(name, kind)] == []


def test_the_test_sees_a_leak() -> None:
    class Careless(msgspec.Struct):
        secret: str

    assert leaks("Careless", Careless) == ["Careless.secret"]


def test_settings_hide_the_password_of_the_database() -> None:
    for url in (
        "postgresql://me:pa55word@db/x",
        "postgres://me:pa%2F55word@/x?host=/run",
        "postgresql://me:pa@55word@db/x",
    ):
        shown = repr(Settings(database=url, secret_keys=(b"k" * 20, b"l" * 20)))
        assert "55word" not in shown
        assert "kkkk" not in shown
        assert "secret_keys=<2 hidden>" in shown


@pytest.mark.parametrize(
    "text",
    [
        "postgres:me:pa55word@db/x",
        "postgres:me:pa55word",
        "postgresql//me:pa55word@db/x",
        "pa55word",
        "mysql://me:pa55word@db/x",
        "postgresql://me:pa55/word@db",
    ],
)
def test_a_mistyped_database_is_not_echoed(text: str) -> None:
    with pytest.raises(SettingError) as caught:
        load({"GRAPEVINE_DATABASE": text})
    shown = "".join(traceback.format_exception(caught.value))
    assert "pa55" not in str(caught.value)
    assert "GRAPEVINE_DATABASE" in str(caught.value)
    assert "pa55" not in shown
