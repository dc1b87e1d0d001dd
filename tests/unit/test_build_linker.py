"""Modules joined into one script: order, names, and what is refused."""

import itertools

import pytest

from widget.build.linker import joined, link
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
    names = [name for name, _ in link("main.js", SOURCES, VIRTUAL)]
    assert names == ["url.js", "ui/send.js", "ui/bar.js", "grapevine:version", "main.js"]


def test_order_does_not_depend_on_the_order_of_the_files() -> None:
    orders = itertools.islice(itertools.permutations(SOURCES.items()), 24)
    assert len({joined(link("main.js", dict(order), VIRTUAL)) for order in orders}) == 1


def test_one_strict_scope_minified() -> None:
    script = joined(link("main.js", SOURCES, VIRTUAL))
    assert script.startswith('(()=>{"use strict";')
    assert script.endswith("})()")
    assert "1.2.3" in script
    assert not {"tag", "share", "import", "export", "unused"} & set(script.replace("(", " ").replace(")", " ").split())


def test_constants_are_carried_only_where_they_are_imported() -> None:
    assert "M0 0z" not in joined(link("main.js", SOURCES, VIRTUAL))
    sources = {"main.js": "import {ICONS} from 'grapevine:icons'\nconsole.log(ICONS)\n"}
    assert "M0 0z" in joined(link("main.js", sources, VIRTUAL))


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
        joined(link("main.js", sources, VIRTUAL))
    assert str(caught.value).startswith(message)
