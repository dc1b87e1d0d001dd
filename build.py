"""Builds the files that the server serves, with packages from PyPI only: `python build.py`, and the wheel's build hook.

widget/src/**/*.js ─ parse ─ link ─ minify ─▶ server/grapevine/built/widget/  widget.HASH.js(.br, .gz), manifest.json
simple-icons, widget/icons, channels.json ──▶ a few inside the buttons' part, the rest widget.HASH.CHANNEL.json
widget/translations ────────────────────────▶ widget.HASH.LANGUAGE.json
widget/earlier/*.json.br ───────────────────▶ server/grapevine/built/earlier/ the files of earlier builds
referrer database ──────────────────────────▶ server/grapevine/built/data/    referrers.json
lists of tracking names, list_overrides.toml ▶ the same folder (tracking.json), and the widget
widget/secret_parameters.json ──────────────▶ the same folder, and the widget: patterns that both match
"""

import ast
import base64
import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import brotli
import yaml
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:  # pip runs the hook without the project on its path
    sys.path.insert(0, str(ROOT))

from widget.build.icons import INLINE, icon_paths  # noqa: E402
from widget.build.linker import Linked, Part, bundle_part, bundle_script, link, link_parts, shared_indexes  # noqa: E402
from widget.build.modules import BuildError, Module  # noqa: E402
from widget.build.tracking_lists import (  # noqa: E402
    PACKAGES,
    package_file,
    tracking_names,
    tracking_pattern,
    tracking_table,
)

ENTRY = "main.js"
PARTS = {
    "buttons": Part("buttons/part.js"),
    "addressBar": Part("addressBar/part.js"),
    "clean": Part("clean/part.js"),
    "clipboard": Part("clipboard/part.js"),
    "copyCommand": Part("copyCommand/part.js"),
    "copyText": Part("copyText/part.js", after=("clipboard",)),
    "counts": Part("counts/part.js", after=("buttons",)),
    "follow": Part("follow/part.js", after=("buttons",)),
    "forget": Part("forget/part.js"),
    "forgetButton": Part("forgetButton/part.js", after=("buttons", "forget")),
    "forward": Part("forward/part.js"),
    "goals": Part("goals/part.js"),
    "heldToken": Part("heldToken/part.js"),
    "ignore": Part("ignore/part.js"),
    "lateTitle": Part("lateTitle/part.js"),
    "looks": Part("looks/part.js"),
    "more": Part("more/part.js", after=("buttons",)),
    "mastodon": Part("mastodon/part.js", after=("buttons",)),
    "ownTokens": Part("ownTokens/part.js"),
    "print": Part("print/part.js"),
    "qr": Part("qr/part.js", after=("buttons",)),
    "refusals": Part("refusals/part.js"),
    "routes": Part("routes/part.js"),
    "shortLinks": Part("shortLinks/part.js"),
    "survey": Part("survey/part.js", after=("buttons",)),
}
"""Parts that the script loads on demand, one file each. Each file name contains one hash over all of the parts."""
BUDGETS = {"widget": 3400, "widget + buttons": 7200}
"""Maximum of bytes, compressed with brotli 11: tracking and copying alone; with the default buttons."""
PART_BUDGET = 1500
"""Maximum of bytes of each other part."""
SMALLER = {"forward": 500}
"""Maximum of bytes of parts that are promised to be smaller."""
MEASURED_DIGEST = "0a939553ebf5"
"""Stands for the digest when the script is measured: brotli makes up to ten bytes more or less of other characters, so
that a comma in a translation could break the budget."""
DATABASE = PACKAGES[0]
"""The package that carries the referrer database."""
MEDIA = ("search", "social", "email", "paid", "unknown")


# Scripts -------------------------------------------------------------------------------------------------------------


class Script(NamedTuple):
    name: str
    modules: list[Module]
    text: Callable[[list[Module]], str]
    """Joins modules of this script, some of which may be left out, to measure their size."""
    body: bytes
    digest: str = ""
    """The digest that stands in the body."""

    @property
    def size(self) -> int:
        """Bytes of the script compressed with brotli 11, as if its digest were MEASURED_DIGEST."""
        body = self.body.replace(self.digest.encode(), MEASURED_DIGEST.encode()) if self.digest else self.body
        return len(brotli.compress(body, quality=11))


def read_sources(folder: Path) -> dict[str, str]:
    """Returns the text of every module by its path below ``folder``."""
    found = sorted([*folder.rglob("*.js"), *folder.rglob("*.jsx")])
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}


def build_widget(root: Path) -> tuple[dict[str, bytes], list[Script]]:
    """Returns the files of built/widget by name, and the scripts among them: the widget itself, then its parts."""
    sources = read_sources(root / "widget/src")
    version = project_version(root)
    channel_entries = channels(root / "widget/channels.json", icon_paths(root / "widget/icons"))
    data_files = {name: encode(entry) for name, entry in channel_entries.items() if name not in INLINE}
    translations = languages(root / "widget/translations")
    data_files |= {name: encode(text) for name, text in translations.items()}
    virtual: dict[str, dict[str, object]] = {
        "grapevine:channels": {"CHANNELS": {name: channel_entries[name] for name in INLINE}},
        "grapevine:tracking": {"TRACKING_NAME": tracking_pattern(tracking_names(root))},
        "grapevine:secrets": secret_patterns(root / "widget/secret_parameters.json"),
        "grapevine:languages": {"LANGUAGES": "".join(sorted(translations))},
        "grapevine:version": {"VERSION": version},
        "grapevine:digest": {"DIGEST": ""},
    }
    digest, scripts = build_scripts(sources, virtual, data_files)
    check_budgets(scripts)
    bodies = {f"widget.{digest}.{name}.json": body for name, body in data_files.items()}
    file_of = {
        script.name: f"widget.{digest_of(script.body) if script.name == 'widget' else f'{digest}.{script.name}'}.js"
        for script in scripts
    }
    bodies |= {file_of[script.name]: script.body for script in scripts}
    files: dict[str, bytes] = {}
    for name, body in bodies.items():
        files |= compressed(name, body)
    entries = {
        script.name: {
            "file": file_of[script.name],
            "integrity": integrity(script.body),
            "bytes": {
                "raw": len(script.body),
                "gzip": len(files[f"{file_of[script.name]}.gz"]),
                "brotli": len(files[f"{file_of[script.name]}.br"]),
            },
        }
        for script in scripts
    }
    parts = {name: entry for name, entry in entries.items() if name != "widget"}
    files["manifest.json"] = encode(
        {
            "version": version,
            "scripts": {"widget": entries["widget"]},
            "parts": parts,
            "digest": digest,
            "measured": {name: size for name, size, _ in sizes(scripts)},
        }
    )
    return files, scripts


def build_scripts(
    sources: dict[str, str], virtual: dict[str, dict[str, object]], data_files: dict[str, bytes]
) -> tuple[str, list[Script]]:
    """Returns the digest of all lazy files, which is in their names; the script; and its parts."""
    for entry in (ENTRY, *(part.entry for part in PARTS.values())):
        if entry not in sources:
            raise BuildError(
                f"widget/src/{entry}: this entry is missing; write it, or change ENTRY or PARTS in build.py"
            )
    script = link(ENTRY, sources, virtual)
    linked = link_parts(script, PARTS, sources, virtual)
    indexes = shared_indexes(script, linked.values())
    parts = []
    for name, part in linked.items():

        def text(modules: list[Module], part: Linked = part) -> str:
            return bundle_part(Linked(modules, part.externals), indexes)

        parts.append(Script(name, part.modules, text, text(part.modules).encode()))
    texts = {name: body.decode() for name, body in data_files.items()} | {
        part.name: part.body.decode() for part in parts
    }
    digest = digest_of(encode(texts))
    modules = link(ENTRY, sources, {**virtual, "grapevine:digest": {"DIGEST": digest}}).modules

    def whole(modules: list[Module]) -> str:
        return bundle_script(modules, indexes)

    return digest, [Script("widget", modules, whole, whole(modules).encode(), digest), *parts]


def channels(file: Path, icons: Mapping[str, str]) -> dict[str, list[str]]:
    """Returns [icon, link, colour, name] by channel, without trailing empty values."""
    known: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    if unknown := set(icons) - set(known):
        raise BuildError(f"{file.name}: icons are drawn for {sorted(unknown)}, which are no channels")
    found = {}
    for name, channel in known.items():
        entry = [icons.get(name, ""), *(channel.get(key, "") for key in ("link", "colour", "name"))]
        while entry and not entry[-1]:
            entry.pop()
        found[name] = entry
    return found


def secret_patterns(file: Path) -> dict[str, object]:
    """Returns two regular expressions in the syntax that Python (with re.ASCII) and JavaScript share.

    SECRET_NAME ignores case and finds `name=` in a decoded path or query, after `_` was put between the words of names
    in camel case. SECRET_VALUE finds an e-mail address or a JSON Web Token.
    """
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    anywhere, words = "|".join(known["anywhere"]), "|".join(known["words"])
    name = f"(^|[/?&#;])([^/=?&#;]*({anywhere})|([^/=?&#;]*[^/a-z=?&#;])?({words})(?![a-z]))[^/=?&#;]*="
    return {"SECRET_NAME": name, "SECRET_VALUE": "|".join(known["values"].values())}


def languages(folder: Path) -> dict[str, dict[str, Any]]:
    """Returns the words by key of each language; every language has every key."""
    translations = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))}
    expected = set().union(*translations.values())
    for language, entries in translations.items():
        if absent := expected - set(entries):
            raise BuildError(f"widget/translations/{language}.json: {', '.join(sorted(absent))} missing; translate")
    return translations


def module_costs(script: Script) -> list[tuple[int, str]]:
    """Returns the bytes that each module alone adds to the compressed script, largest first."""

    def size(modules: list[Module]) -> int:
        return len(brotli.compress(script.text(modules).encode(), quality=11))

    last = script.modules[-1].name  # without it there is no script
    without = ((m.name, [o for o in script.modules if o.name != m.name]) for m in script.modules if m.name != last)
    return sorted(((size(script.modules) - size(others), name) for name, others in without), reverse=True)


def module_cost_table(script: Script) -> str:
    return "\n".join(f"{cost:7,}  {module}" for cost, module in module_costs(script))


def sizes(scripts: Sequence[Script]) -> list[tuple[str, int, int]]:
    """Returns the name of everything that has a budget, its compressed bytes and its budget."""
    alone = {script.name: script.size for script in scripts}
    budgeted = [(name, sum(alone[part] for part in name.split(" + ")), most) for name, most in BUDGETS.items()]
    counted = {part for name in BUDGETS for part in name.split(" + ")}
    return budgeted + [
        (name, size, SMALLER.get(name, PART_BUDGET)) for name, size in alone.items() if name not in counted
    ]


def check_budgets(scripts: Sequence[Script]) -> None:
    for name, size, most in sizes(scripts):
        if size > most:
            tables = "\n".join(module_cost_table(script) for script in scripts if script.name in name.split(" + "))
            over = f"{name} has {size:,} bytes with brotli 11, {size - most:,} over its budget of"
            raise BuildError(f"{over} {most:,}; make these modules smaller:\n{tables}")


def project_version(root: Path) -> str:
    code = ast.parse((root / "server/grapevine/__init__.py").read_text(encoding="utf-8"))
    found = [
        node.value
        for node in code.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
    ]
    return str(ast.literal_eval(found[0]))


# Data for the server -------------------------------------------------------------------------------------------------


def referrer_list() -> str:
    """Returns the text of the referrer database, in YAML."""
    return package_file(DATABASE.module, DATABASE.distribution, "data/referers.yaml").read_text(encoding="utf-8")


def referrers(text: str) -> dict[str, dict[str, str]]:
    """Returns by medium: host, host/path or Android package in lower case → display name; and the list's `source`."""
    known: dict[str, dict[str, dict[str, list[str]]]] = yaml.safe_load(text)
    if set(known) != set(MEDIA):
        raise BuildError(f"the referrer list has the media {sorted(known)}, expected {sorted(MEDIA)}; review build.py")
    media = {
        medium: {
            domain.lower().rstrip("/"): name for name, entry in known[medium].items() for domain in entry["domains"]
        }
        for medium in MEDIA
    }
    origin = "the list began as Snowplow's referer-parser database, https://github.com/snowplow-referer-parser"
    return {"source": {**DATABASE.source, "origin": origin}, **media}


# Files ---------------------------------------------------------------------------------------------------------------


def earlier_files(folder: Path) -> dict[str, bytes]:
    """Returns the files of the builds that ``folder`` has, each an object of texts by file name, compressed.

    Servers keep the files of the builds that they serve (decision 50). These are of builds from before they did.
    """
    files: dict[str, bytes] = {}
    for file in sorted(folder.glob("*.json.br")):
        for name, text in json.loads(brotli.decompress(file.read_bytes())).items():
            files |= compressed(name, text.encode())
    return files


def encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:12]


def compressed(name: str, body: bytes) -> dict[str, bytes]:
    """Returns the file and its two precompressed forms, the same bytes for the same input."""
    return {name: body, f"{name}.br": brotli.compress(body, quality=11), f"{name}.gz": gzip.compress(body, 9, mtime=0)}


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replaces the contents of folder by these files; each file appears whole, the manifest last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(files, key=lambda name: (name == "manifest.json", name)):
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as part:
            part.write(files[name])
        Path(part.name).chmod(0o644)
        Path(part.name).replace(folder / name)
    for stale in [path for path in folder.iterdir() if path.name not in files and not path.name.startswith(".")]:
        stale.unlink()


def integrity(body: bytes) -> str:
    """Returns the value of a script element's integrity attribute (Subresource Integrity, W3C)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()


def build(root: Path) -> list[Script]:
    """Writes server/grapevine/built below root anew and returns the scripts in it; BuildError leaves it as it was."""
    widget, scripts = build_widget(root)
    data = {
        "referrers.json": encode(referrers(referrer_list())),
        "tracking.json": encode(tracking_table(tracking_names(root))),
        "secret_patterns.json": encode(secret_patterns(root / "widget/secret_parameters.json")),
    }
    replace_folder(root / "server/grapevine/built/widget", widget)
    replace_folder(root / "server/grapevine/built/earlier", earlier_files(root / "widget/earlier"))
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
    print(f"{'script':<18}{'modules':>8}{'raw':>9}{'gzip':>8}{'brotli':>8}")
    for script in scripts:
        raw, brotli_size, gzip_size = (len(form) for form in compressed("", script.body).values())
        print(f"{script.name:<18}{len(script.modules):>8}{raw:>9,}{gzip_size:>8,}{brotli_size:>8,}")
        if arguments:
            print(module_cost_table(script))
    for name, size, most in sizes(scripts):
        print(f"{name}: {size:,} of {most:,} bytes, {most - size:,} left")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
