"""The widget through what pages, routers, consent managers and slow servers do: nothing is lost or counted twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.engines.test_forget import STORED, idle
from tests.engines.test_outbox import MEMORY, known
from tests.support.page_server import Site

FOREIGN: Final = "0123456789abcdefghijkLM"
HEAR: Final = """<script>
window.heard = [];
window.grapevine = {q: [['on', 'ready', ({visit}) => heard.push('on ' + visit)]]};
document.addEventListener('grapevine:ready', ({detail}) => heard.push(detail.visit + ' ' + window.grapevine.visit));
</script>"""
PRERENDERED: Final = """<script>
let prerendering = true;
Object.defineProperty(Document.prototype, 'prerendering', {get: () => prerendering});
window.activate = () => { prerendering = false; document.dispatchEvent(new Event('prerenderingchange')) };
</script>"""
VERSION: Final = "() => window.grapevine?.version"
REFUSALS: Final[dict[str, tuple[int, dict[str, str], str]]] = {
    "422": (422, {}, '{"code": "invalid", "errors": [{"field": "url", "detail": "is 2300 characters long"}]}'),
    "413": (413, {}, '{"code": "too-large"}'),
    "a proxy's 413": (413, {}, "<h1>Request Entity Too Large</h1>"),
    "a firewall's 403": (403, {}, ""),
}


def bare(recorder: RecorderServer, **attributes: str) -> str:
    """The line that embeds the widget without buttons."""
    return recorder.snippet(buttons="", **attributes)


# Ready ---------------------------------------------------------------------------------------------------------------


def test_ready_comes_once_on_every_page_whose_visit_is_known(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    site.page("/next", head=HEAR)
    site.page("/prerendered", head=PRERENDERED + HEAR)
    site.page("/asks", head=HEAR, snippet=recorder.snippet(consent="required"))
    once = ["visit1 visit1", "on visit1"]
    tab.goto(site.page("/p", head=HEAR))
    tab.until("() => heard.length > 1")
    for path in ("/next", "/p", "/asks", "/prerendered"):
        tab.goto(site.origin + path)
        tab.until(VERSION)
        if path == "/asks":
            assert tab.run("() => heard") == []
            tab.run("() => grapevine.consent(true)")
        if path == "/prerendered":
            assert tab.run("() => heard") == []
            tab.run("() => activate()")
        assert sorted(tab.until("() => heard.length > 1 && heard")) == sorted(once), path
    tab.run("() => history.pushState(null, '', '/route')")
    recorder.wait("views", 5)
    tab.run("() => grapevine.on('ready', () => heard.push('late'))")
    assert tab.run("() => heard")[2:] == ["late"]
    recorder.away = True
    tab.goto(site.origin + "/p")
    assert sorted(tab.until("() => heard.length > 1 && heard")) == sorted(once), "the server is away"


# Refused reports -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refused_landing_is_dropped_and_the_next_page_starts_afresh(
    tab: Tab, site: Site, recorder: RecorderServer, refusal: tuple[int, dict[str, str], str]
) -> None:
    site.page("/next", '<p id="x"><a href="/q">link</a></p>')
    recorder.refusal = refusal
    tab.goto(site.page("/p"))
    tab.until("() => document.querySelector('grapevine-buttons')?.shadowRoot?.querySelector('[part=button]')")
    recorder.wait("visits")
    tab.until(f"() => !({MEMORY})().landing && !Object.keys(({MEMORY})().outbox).length")
    tab.run("() => grapevine.convert('in no visit')")
    recorder.refusal = None
    if refusal[0] == 422:
        tab.run("() => history.pushState(null, '', '/next')")
        known(tab)
    else:
        tab.visited(site.origin + "/next")
        assert "gv" in tab.copy("#x")["text/html"]
    refused, afresh, *more = recorder.of("visits")
    assert refused["nonce"] != afresh["nonce"]
    assert (afresh["url"], more) == (site.origin + "/next", [])
    idle(tab, 100)
    assert recorder.of("conversions") == []


def test_a_long_route_does_not_end_the_visit(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page("/p", snippet=bare(recorder)))
    for count, path in enumerate(("/ok?state=" + "s" * 2300, "/ok?b"), 1):
        tab.run("path => history.pushState(null, '', path)", path)
        # A URL of 2,048 characters is taken, and none of a view is stored.
        assert recorder.wait("views", count)[-1]["url"] == (site.origin + path)[:2048]
    assert tab.run("() => grapevine.visit") == "visit1"
    recorder.refusal = 422, {}, '{"code": "invalid", "errors": [{"field": "session", "detail": "unknown"}]}'
    tab.run("() => history.pushState(null, '', '/lost')")
    recorder.wait("visits", 2)


TITLES: Final[dict[str, Callable[[str], bool]]] = {
    "'Fresh bread \\ud83e'": lambda title: title == "Fresh bread \ufffd",
    "'\\udf5e\\ud83e!'": lambda title: title == "\ufffd\ufffd!",
    "'x'.repeat(9000)": lambda title: title == "x" * 300,
    "'x'.repeat(299) + '\\ud83e\\udd56\\ud83e\\udd56'": lambda title: title == "x" * 299 + "\U0001f956",
    "'\\ud83e\\udd56'.repeat(5000)": lambda title: title == "\U0001f956" * 300,
    "'\\u4e16'.repeat(100000)": lambda title: title == "\u4e16" * 300,
    "''": lambda title: title == "",
}


def test_a_title_is_cut_and_mended(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page("/p", snippet=bare(recorder)))
    for count, (title, is_right) in enumerate(TITLES.items(), 1):
        tab.run(f"path => {{ document.title = {title}; history.pushState(null, '', path) }}", f"/{count}")
        assert is_right(recorder.wait("views", count)[-1].get("title", "")), title
    half = site.page("/half", head="<script>document.title = 'half \\ud83e'</script>")
    tab.goto(half)
    link = "document.querySelector('grapevine-buttons')?.shadowRoot?.querySelector('[data-channel=x]')?.href"
    assert "half+%EF%BF%BD" in tab.until(f"() => {link}").replace("%20", "+")
    clobbered = site.page("/clobbered", '<form name="title"></form>', snippet=bare(recorder))
    tab.goto(clobbered)
    assert recorder.wait("views", len(TITLES) + 2)[-1]["url"] == clobbered
    for count, path in enumerate(("/clobbered/b", "/clobbered/c"), len(TITLES) + 3):
        tab.run("path => history.pushState(null, '', path)", path)
        assert recorder.wait("views", count)[-1]["url"] == site.origin + path


# Views ---------------------------------------------------------------------------------------------------------------

ROUTERS: Final = {
    "puts back the address it began with": "history.replaceState({}, '', before)",
    "pushes the address it began with": "history.pushState({}, '', before)",
    "keeps its state": "history.replaceState({id: 1}, '')",
    "adds a slash": "history.replaceState(null, '', location.pathname + '/')",
    "adds a query": "history.replaceState(null, '', '?lang=en')",
    "adds an empty query": "history.replaceState(null, '', location.pathname + '?')",
    "adds an empty hash route": "location.hash = '#/'",
    "replaces with an empty hash route": "history.replaceState(null, '', '#!/')",
    "follows an anchor": "location.hash = 'section'",
    "goes to the language's path": "history.replaceState(null, '', '/en' + location.pathname)",
    "changes the title": "document.title = 'Another title'",
    "spells the path in another way": "history.replaceState(null, '', location.pathname.replace(/\\d/, '%3$&'))",
    "pushes the path in another spelling": "history.pushState(null, '', location.pathname.replace(/\\d/, '%3$&'))",
    "pushes the query in another spelling": """
      history.replaceState(0, '', '?q=%7e'); setTimeout(() => history.pushState(0, '', '?q=~'), 150)""",
    "pushes the same address": "history.pushState({modal: true}, '', location.href)",
    "does all at once": "history.replaceState(1, '', '?a'); history.replaceState(2, '', '/b/?a'); document.title = 'b'",
}


IDLE: Final = "<script>Object.defineProperty(navigator, 'userActivation', {value: {hasBeenActive: false}})</script>"
"""A reader who has done nothing yet: engines take some of a test's own steps for acts of the reader."""


def test_one_page_load_is_one_view_whatever_a_router_does(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page("/start", snippet=bare(recorder)) + f"#gv={FOREIGN}")
    for count, (does, change) in enumerate(ROUTERS.items(), 1):
        done = f"setTimeout(() => navigator.sendBeacon('{recorder.home}v1/done', '{{}}'), 500)"
        head = f"<script>const before = location.href; setTimeout(() => {{ {change}; {done} }}, 300)</script>{IDLE}"
        tab.goto(site.page(f"/{count}", head=head, snippet=bare(recorder)) + f"#gv={FOREIGN}")
        recorder.wait("done", count)
        assert len(recorder.of("views")) == count, f"a router {does}"
        assert "gv=" not in tab.url
    redirect = f"""<script>const look = setInterval(() => {{
      if (window.grapevine?.version) {{ clearInterval(look); history.pushState(null, '', '/home') }}
    }}, 5)</script>{IDLE}"""
    # The picture comes late, so that the page is still loading at that moment.
    recorder.delay = 0.5
    tab.goto(site.page("/redirects", f'<img src="{recorder.home}v1/counts">', head=redirect, snippet=bare(recorder)))
    recorder.delay = 0
    recorder.wait("views", len(ROUTERS) + 1)
    idle(tab, 1300)
    assert [view["url"] for view in recorder.of("views")[len(ROUTERS) :]] == [site.origin + "/redirects"]
    # A real route change, and a redirect of the router after it.
    tab.run("() => history.pushState(null, '', '/route?x=1')")
    recorder.wait("views", len(ROUTERS) + 2)
    tab.run("() => history.replaceState(null, '', '/route?x=1&tab=2')")
    idle(tab, 400)
    tab.run("() => history.pushState(null, '', '/route?x=2')")
    views = recorder.wait("views", len(ROUTERS) + 3)
    idle(tab, 100)
    assert [view["url"] for view in views[-2:]] == [site.origin + "/route?x=1", site.origin + "/route?x=2"]
    assert len(recorder.of("views")) == len(ROUTERS) + 3


# Consent -------------------------------------------------------------------------------------------------------------


def asking(site: Site, recorder: RecorderServer, head: str = "") -> str:
    """A page that waits for consent, and lets the recorder know when it is loaded."""
    loaded = f"<script>navigator.sendBeacon('{recorder.home}v1/loaded', '{{}}')</script>"
    return site.page("/p", head=loaded + head, snippet=recorder.snippet(consent="required", storage="local"))


def opened(tab: Tab, recorder: RecorderServer, address: str) -> None:
    """Opens a page that waits for consent."""
    tab.goto(address)
    recorder.wait("loaded")
    tab.until(VERSION)
    idle(tab, 200)


def reload(tab: Tab, recorder: RecorderServer) -> None:
    """Reloads the page as a consent manager does."""
    loads = len(recorder.of("loaded"))
    tab.run("() => { setTimeout(() => location.reload(), 50) }")
    recorder.wait("loaded", loads + 1)
    tab.until(VERSION)
    idle(tab, 200)


@pytest.mark.parametrize("state", [None, {"scroll": 7}])
@pytest.mark.parametrize(("token", "left"), [(f"#gv={FOREIGN}", ""), (f"?gv={FOREIGN}#/route", "#/route")])
def test_a_token_that_waits_for_consent_survives_a_reload(
    tab: Tab, site: Site, recorder: RecorderServer, token: str, left: str, state: dict[str, int] | None
) -> None:
    address = asking(site, recorder, f"<script>history.replaceState({json.dumps(state)}, '')</script>")
    opened(tab, recorder, address + token)
    asking(site, recorder)  # from here on, the state is what the browser has kept
    site.delay = 0.4  # the page runs on until the answer to the reload is there
    for _ in range(2):
        assert tab.run("() => [location.href, history.state]") == [address + left, state]
        reload(tab, recorder)
    assert tab.run("() => [location.href, history.state]") == [address + left, state]
    assert json.loads(tab.run(STORED)) == [{}, {}]
    assert set(recorder.paths) == {"loaded"}
    tab.run("() => grapevine.consent(true)")
    assert recorder.wait("visits")[0]["token"] == FOREIGN
    known(tab)
    reload(tab, recorder)
    tab.run("() => grapevine.consent(true)")
    recorder.wait("views")
    assert tab.run("() => history.state") == state
    assert len(recorder.of("visits")) == 1


def test_a_page_that_is_not_left_after_all_has_its_own_state_again(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    clock = """<script>
    const later = setTimeout;
    window.setTimeout = (run, wait, ...rest) => wait == 30000 ? (window.stays = run, 0) : later(run, wait, ...rest);
    </script>"""
    tab.goto(asking(site, recorder, clock) + f"#gv={FOREIGN}")
    leave = "() => { dispatchEvent(new Event('beforeunload')); return history.state?.grapevine }"
    assert tab.until(leave) == FOREIGN
    idle(tab, 200)  # a change of the state is no route
    assert tab.run("() => history.state") == {"grapevine": FOREIGN}
    tab.run("() => stays()")
    assert tab.run("() => history.state") is None
    tab.run("() => { history.pushState({id: 1}, '', '/route'); dispatchEvent(new Event('beforeunload')) }")
    assert tab.run("() => history.state") == {"id": 1, "grapevine": FOREIGN}
    tab.run("() => stays()")
    assert tab.run("() => history.state") == {"id": 1}
    tab.run("() => grapevine.consent(true)")
    assert recorder.wait("visits")[0]["token"] == FOREIGN
    assert not tab.run(leave)
    assert tab.errors() == []


@pytest.mark.parametrize("how", ["refused", "opted out", "a state of its own"])
def test_a_token_is_not_kept_over_a_reload_where_that_is_not_wanted(
    tab: Tab, site: Site, recorder: RecorderServer, how: str
) -> None:
    head = {
        "opted out": "<script>Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})</script>",
        "a state of its own": "<script>history.replaceState('a text', '')</script>",
    }
    opened(tab, recorder, asking(site, recorder, head.get(how, "")) + f"#gv={FOREIGN}")
    if how == "refused":
        tab.run("() => grapevine.consent(false)")
    reload(tab, recorder)
    tab.run("() => grapevine.consent(true)")
    visit: dict[str, Any] = recorder.wait("visits")[0]
    assert visit.get("token") is None
    assert "gv=" not in tab.url


def test_the_next_page_is_not_given_the_token(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    site.page("/q", snippet=recorder.snippet(consent="required"))
    opened(tab, recorder, asking(site, recorder) + f"#gv={FOREIGN}")
    tab.goto(site.origin + "/q")
    tab.until(VERSION)
    assert tab.run("() => history.state") is None
    tab.run("() => grapevine.consent(true)")
    assert "token" not in recorder.wait("visits")[0]
