"""Rules of the architecture: imports between packages, where SQL and Starlette live, and no unused definitions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from grapevine.config.settings import SETTINGS
from grapevine.store import sql_loader

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "server" / "grapevine"

LAYERS: Final = (
    "errors", "domain", "config", "http_client", "egress", "telemetry", "store", "sites", "background", "keyring",
    "webhooks", "answers", "analytics", "referrals", "writer", "links", "mentions", "receipts", "collect",
    "access_logs", "conversion_files", "exports", "api_schemas", "live",
    "doctor", "web", "client", "unfurl_reports", "asgi", "wsgi", "serving", "simulate", "demo", "mcp_server", "cli",
    "__main__",
)  # fmt: skip
"""From the lowest to the highest: each may import those before it, and none behind it."""

EXCEPTIONS: Final[frozenset[tuple[str, str]]] = frozenset()
"""Pairs (importing, imported) of layers that break the rule. It stays empty."""

LOOSE: Final = 6
"""At most so many Python files lie in the root of the package. Two of them are names that other people's apps import:
``grapevine.asgi`` and ``grapevine.wsgi``."""

LONGEST: Final = 400
"""Lines of a file; a longer one holds two ideas."""

ONLY_IN: Final = {
    "starlette": {"web", "serving"},
    "uvicorn": {"web", "serving"},
    "httpx": {"client", "http_client"},
    "asyncpg": {"store"},
    "aiosqlite": {"store"},
    "sqlite3": {"store"},
    "jinja2": {"web"},
    "prometheus_client": {"web"},
    "mcp": {"mcp_server"},
    "mcp_types": {"mcp_server"},
}
"""Which layers alone may import a library."""

SQL: Final = re.compile(
    r"^\s*(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|PRAGMA\s)",
    re.DOTALL,
)


class Import(NamedTuple):
    """A module that another one imports, and the line where it does."""

    importer: str
    imported: str
    line: int


@cache
def sources() -> dict[str, Path]:
    """Dotted module name → file, for the whole package."""
    return {dotted(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def dotted(file: Path) -> str:
    """The name by which ``file`` is imported."""
    return ".".join(("grapevine", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


@cache
def tree(file: Path) -> ast.Module:
    """The syntax tree of ``file``."""
    return ast.parse(file.read_text("utf-8"))


@cache
def imports() -> tuple[Import, ...]:
    """Every import of every module; ``from package import module`` counts as an import of the module."""
    return tuple(_imports())


def _imports() -> Iterator[Import]:
    for name, file in sources().items():
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(name, alias.name, node.lineno)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    yield Import(name, full if full in sources() else node.module, node.lineno)


def layer(module: str) -> str:
    """The part of the package in which a module lives; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def strings(*, inside: bool) -> Iterator[tuple[str, int, str]]:
    """(module, line, text) of the string literals ``inside`` the store, or outside of it."""
    for name, file in sources().items():
        if (layer(name) == "store") is inside:
            for node in ast.walk(tree(file)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield name, node.lineno, node.value


def test_every_part_of_the_package_has_its_place_in_the_order() -> None:
    assert {layer(name) for name in sources()} - {""} == set(LAYERS)


def test_no_package_imports_one_above_it() -> None:
    rank = {name: position for position, name in enumerate(LAYERS)}
    upward = {
        f"{found.importer}:{found.line} imports {found.imported}"
        for found in imports()
        if found.imported.startswith("grapevine.")
        and layer(found.importer)
        and rank[layer(found.imported)] > rank[layer(found.importer)]
        and (layer(found.importer), layer(found.imported)) not in EXCEPTIONS
    }
    assert not sorted(upward)
    assert not EXCEPTIONS


def test_no_modules_import_each_other_in_a_circle() -> None:
    wanted: dict[str, set[str]] = {name: set() for name in sources()}
    for found in imports():
        if found.imported in wanted and found.imported != found.importer:
            wanted[found.importer].add(found.imported)
    while free := [name for name, others in wanted.items() if not others & wanted.keys()]:
        for name in free:
            del wanted[name]
    assert not sorted(wanted), "each of these imports another one of them"


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_imported_where_it_belongs(library: str) -> None:
    users = {found.importer for found in imports() if found.imported.split(".")[0] == library}
    assert users, f"nothing imports {library}: take it out of the table"
    assert not sorted(name for name in users if layer(name) not in ONLY_IN[library])


def test_sql_stands_in_the_store_alone() -> None:
    assert not [f"{name}:{line}: {text.strip()[:60]}" for name, line, text in strings(inside=False) if SQL.match(text)]


def test_few_files_lie_loose_in_the_root() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= LOOSE


def test_no_file_is_long() -> None:
    folders = (PACKAGE, ROOT / "tests", ROOT / "widget", ROOT / "demo_site")
    files = [file for folder in folders for kind in ("*.py", "*.js") for file in folder.rglob(kind)]
    lines = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in files}
    assert len(lines) > len(sources())
    assert not {name: count for name, count in lines.items() if count > LONGEST}


def test_every_setting_is_read() -> None:
    """Some module other than the one that defines the settings reads each of them."""
    others = [file for name, file in sources().items() if name != "grapevine.config.settings"]
    text = "\n".join(file.read_text("utf-8") for file in others)
    reads = {setting.name: rf"\bsettings\.{setting.name}\b" for setting in SETTINGS}
    assert not [name for name, pattern in reads.items() if not re.search(pattern, text)]


def columns() -> dict[str, set[str]]:
    """The tables of the newest schema with their columns, as the migrations leave them."""
    found: dict[str, set[str]] = {}
    for step in sql_loader.migrations():
        for statement in re.sub(r"--.*", "", step.text).split(";"):
            if made := re.search(r"CREATE TABLE (\w+) \((.*)\)", statement, re.DOTALL):
                found[made[1]] = set(re.findall(r"^ +([a-z]\w*) +[A-Z]", made[2], re.MULTILINE))
            elif dropped := re.search(r"DROP TABLE (\w+)", statement):
                del found[dropped[1]]
            elif changed := re.search(r"ALTER TABLE (\w+) (ADD|DROP) COLUMN (\w+)", statement):
                change = found[changed[1]].add if changed[2] == "ADD" else found[changed[1]].remove
                change(changed[3])
    return found


@cache
def statements() -> list[str]:
    """Every SQL text of the store: the named queries, and what stands in its Python."""
    named = [query.text for query in sql_loader.queries().values()]
    return named + [text for _, _, text in strings(inside=True) if SQL.match(text)]


def test_every_table_is_filled_and_read() -> None:
    texts = "\n".join(statements())
    tables = columns()
    assert tables.keys() == sql_loader.table_names()
    assert not [name for name in tables if not re.search(rf"\b(INSERT INTO|UPDATE) {name}\b", texts)]
    assert not [name for name in tables if not re.search(rf"\b(FROM|JOIN) {name}\b", texts)]


def test_every_column_is_filled_and_read() -> None:
    """Some statement fills each column, and another one that names its table reads it."""
    unused = []
    for table, names in columns().items():
        about = [text for text in statements() if re.search(rf"\b{table}\b", text)]
        filling = [text for text in about if re.search(rf"\b(INSERT INTO|UPDATE) {table}\b", text)]
        reading = [text for text in about if text not in filling or "RETURNING" in text or "WHERE" in text]
        for column in sorted(names):
            mentioned = re.compile(rf"\b{column}\b")
            if not (any(map(mentioned.search, filling)) and any(map(mentioned.search, reading))):
                unused.append(f"{table}.{column}")
    assert not unused


def test_the_readme_lists_the_folders() -> None:
    """README's table of folders is the tree: every package, and none that is not there."""
    listed = set(re.findall(r"`server/grapevine/(\w+)/?`", (ROOT / "README.md").read_text("utf-8")))
    folders = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()}
    assert listed == folders


def test_no_two_public_classes_have_one_name() -> None:
    homes: dict[str, list[str]] = {}
    for name, file in sources().items():
        for node in tree(file).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name)
    assert not {name: modules for name, modules in homes.items() if len(modules) > 1}


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_the_files_that_documents_name_are_there(page: str) -> None:
    named = set(re.findall(r"`([\w.]+/[\w./]+\.(?:py|js|sql|toml|json|md))`", (ROOT / page).read_text("utf-8")))
    assert named
    homes = (ROOT, PACKAGE, ROOT / "widget" / "src")
    placeholder = "store/sql/migrations/NNNN_what_it_does.sql"
    assert not sorted(name for name in named - {placeholder} if not any((home / name).exists() for home in homes))


READ_ADDRESS: Final = {
    "cli/doctor_page.py": "hands both to public_url",
    "cli/links.py": "hands both to the URLs of links",
    "cli/links_csv.py": "hands both to the URLs of links",
    "cli/serve.py": "says when the setting is missing",
    "cli/sites.py": "hands both to the snippet; says when the setting is missing",
    "doctor/environment.py": "checks the setting",
    "serving/app.py": "paths of the fast path",
    "web/application.py": "routes",
    "web/api/links.py": "hands both to the URLs of links",
    "web/api/sites.py": "hands both to the snippet",
    "web/dashboard/check.py": "hands both to public_url",
    "web/dashboard/foreign_forms.py": "says which address a refused form should have come from",
    "web/dashboard/security.py": "compares the origin of a form",
    "web/dashboard/first_steps.py": "hands both to the snippet; says when the setting is missing",
    "web/dashboard/links.py": "hands both to the URLs of links, and shows their QR codes",
    "web/dashboard/session.py": "the name and scope of a cookie",
    "web/dashboard/views.py": "compares the origin of a form",
    "web/openapi/served.py": "the server and the paths that the description names",
    "web/public/qr.py": "hands both to public_url",
    "web/public_address.py": "what stands for the setting where it is missing",
}
"""Which files read GRAPEVINE_BASE_URL and GRAPEVINE_PREFIX, and why."""


def test_absolute_urls_are_made_in_one_place() -> None:
    """Elsewhere one is put together without the prefix sooner or later: `config/public_url.py` makes all of them."""
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in sources().values()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute) and node.attr in ("base_url", "prefix")
    }
    assert found == set(READ_ADDRESS)
