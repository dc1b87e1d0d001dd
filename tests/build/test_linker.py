"""Modules joined into one script: order, names, and what is refused."""

import itertools

import pytest

from widget.build.linker import Part, bundle_part, bundle_script, link, link_parts, shared_indexes
from widget.build.modules import BuildError

SOURCES = {
    "main.js": "import {share} from './ui/bar.js'\nimport {VERSION} from 'grapevine:version'\nshare(VERSION)\n",
    "ui/bar.js": "import {tag} from '../url.js'\nimport {send} from './send.js'\nexport let share = v => send(v)\n",
    "ui/send.js": "import {tag} from '../url.js'\nexport const send = url => fetch(tag(url))\n",
    "url.js": "export function tag(url) { return url + '#gv' }\n",
    "unused.js": "export const unused = 1\n",
}
VIRTUAL: dict[str, dict[str, object]] = {
    "grapevine:version": {"VERSION": "1.2.3"},
    "grapevine:icons": {"ICONS": {"copy": "M0 0z"}},
}


def test_each_module_once_after_those_it_imports() -> None:
    names = [module.name for module in link("main.js", SOURCES, VIRTUAL).modules]
    assert names == ["url.js", "ui/send.js", "ui/bar.js", "grapevine:version", "main.js"]


def test_order_does_not_depend_on_the_order_of_the_files() -> None:
    orders = itertools.islice(itertools.permutations(SOURCES.items()), 24)
    assert len({bundle_script(link("main.js", dict(order), VIRTUAL).modules) for order in orders}) == 1


def test_one_scope_minified() -> None:
    script = bundle_script(link("main.js", SOURCES, VIRTUAL).modules)
    assert script.startswith("(()=>{")
    assert script.endswith("})()")
    assert "1.2.3" in script
    assert not {"tag", "share", "import", "export", "unused"} & set(script.replace("(", " ").replace(")", " ").split())


def test_constants_are_carried_only_where_they_are_imported() -> None:
    assert "M0 0z" not in bundle_script(link("main.js", SOURCES, VIRTUAL).modules)
    sources = {"main.js": "import {ICONS} from 'grapevine:icons'\nconsole.log(ICONS)\n"}
    assert "M0 0z" in bundle_script(link("main.js", sources, VIRTUAL).modules)


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"main.js": "import {a} from './b.js'\na()"}, "main.js:1: there is no module b.js; the modules are"),
        ({"main.js": "\nimport {a} from 'grapevine:x'\na()"}, "main.js:2: there is no module grapevine:x"),
        ({"main.js": "import {a} from 'lib'\na()"}, "main.js:1: `lib` is neither a path nor a grapevine: module"),
        ({"main.js": "import {a} from '../../x.js'\na()"}, "main.js:1: there is no module ../../x.js"),
        (
            {"main.js": "import {\n  a, c\n} from './a.js'\na()", "a.js": "export const a = 1\nconst c = 2"},
            "main.js:1: a.js does not export `c`; it exports ['a']",
        ),
        ({"main.js": "import {X} from 'grapevine:version'\nX()"}, "main.js:1: grapevine:version does not export `X`"),
        (
            {
                "main.js": "import {a} from './a.js'\na()",
                "a.js": "import {b} from './b.js'\nexport const a = b",
                "b.js": "\nimport {a} from './a.js'\nexport const b = a",
            },
            "b.js:2: circular import a.js → b.js → a.js; move what both need into a third module",
        ),
        ({"main.js": "import {a} from './main.js'\na()"}, "main.js:1: circular import main.js → main.js"),
        (
            {"main.js": "import {a} from './a.js'\n\nlet helper = a", "a.js": "export let a = 1\nfunction helper() {}"},
            "main.js:3: `helper` is a top-level name of a.js too; rename one of them",
        ),
        (
            {
                "main.js": "import {VERSION} from 'grapevine:version'\nimport {a} from './a.js'\na(VERSION)",
                "a.js": "export const a = 1\nvar VERSION = 2",
            },
            "a.js:2: `VERSION` is a top-level name of grapevine:version too",
        ),
        ({"main.js": "await fetch('/')"}, "widget/src: the linked script is not valid JavaScript; is there an `await`"),
        ({"main.js": "const el = <b/>"}, "widget/src: the linked script is refused"),
    ],
)
def test_refused(sources: dict[str, str], message: str) -> None:
    with pytest.raises(BuildError) as caught:
        bundle_script(link("main.js", sources, VIRTUAL).modules)
    assert str(caught.value).startswith(message)


PARTED = {
    "main.js": "import {load} from './load.js'\nimport {tag} from './url.js'\nload(tag('x'))\n",
    "load.js": "import {SHARED} from 'grapevine:shared'\nexport const load = n => import(n).then(SHARED)\n",
    "url.js": "export const tag = url => url + '#gv'\nexport const LIMIT = 3;\nexport let count = 0;\n",
    "a/part.js": "import {tag} from '../url.js'\nimport {icon} from './icon.js'\n"
    "export const start = () => tag(icon('a'))\n",
    "a/icon.js": "import {LIMIT} from '../url.js'\nexport const icon = name => name + LIMIT\n",
    "b/part.js": "import {icon} from '../a/icon.js'\nexport const start = () => icon('b')\n",
}
PARTS = {"a": Part("a/part.js"), "b": Part("b/part.js", after=("a",))}


def parted(sources: dict[str, str]) -> dict[str, str]:
    script = link("main.js", sources, {})
    linked = link_parts(script, PARTS, sources, {})
    indexes = shared_indexes(script, linked.values())
    return {"main": bundle_script(script.modules, indexes)} | {
        name: bundle_part(part, indexes) for name, part in linked.items()
    }


def test_a_part_carries_what_the_script_has_not_and_is_given_the_rest() -> None:
    script = link("main.js", PARTED, {})
    linked = link_parts(script, PARTS, PARTED, {})
    assert [module.name for module in linked["a"].modules] == ["a/icon.js", "a/part.js"]
    assert [module.name for module in linked["b"].modules] == ["b/part.js"]
    assert [set(linked[name].externals) for name in "ab"] == [{"tag", "LIMIT"}, {"icon"}]
    assert shared_indexes(script, linked.values()) == {"LIMIT": 0, "tag": 1, "icon": 2}
    texts = parted(PARTED)
    assert all(text.startswith("export default ") for name, text in texts.items() if name != "main")
    assert "[2]=" in texts["a"], "what comes after it is given its names too"
    assert "#gv" not in texts["a"] + texts["b"]


def test_a_constant_stands_where_it_is_used_unless_a_part_is_given_it() -> None:
    sources = {"main.js": "const DAY = 864e5;\nconst NAME = 'gv';\nconst TWICE = 7;\nf(DAY, NAME, TWICE, TWICE)\n"}
    text = bundle_script(link("main.js", sources, {}).modules)
    assert "864e5" in text
    assert text.count("=7") == 1
    assert text.count("=") == 2
    assert "LIMIT" not in parted(PARTED)["main"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"b/part.js": "import {count} from '../url.js'\nexport const start = () => count"},
            "b/part.js:1: a part cannot follow `count`, which changes; export a function",
        ),
        ({"b/part.js": "export const begin = 1"}, "b/part.js: the entry of a part exports `start` and nothing else"),
        ({"b/part.js": "const tag = 1\nexport const start = () => tag"}, "b/part.js:1: `tag` is a top"),
        (
            {"url.js": PARTED["url.js"] + "const SHARED = 1"},
            "url.js:4: `SHARED` is a top-level name of grapevine:shared",
        ),
    ],
)
def test_parts_that_are_refused(changed: dict[str, str], message: str) -> None:
    with pytest.raises(BuildError) as caught:
        parted({**PARTED, **changed})
    assert str(caught.value).startswith(message)
