"""`data-forward`: the page's other analytics are told of shares and returns, and of nothing that is not theirs to know.

Three are the real scripts, from the npm registry: posthog-js, Plausible's tracker, and the source of Umami's (2.10).
Their events are read where they arrive, at a server on the loopback address. Matomo's script, Google's tag and Tag
Manager are in no registry: for them the page has the arrays and the function that their documentation names, and the
test reads the calls: `_paq.push(['trackEvent', category, action, name, value])`, `dataLayer.push({event, …})`,
`gtag('event', name, parameters)`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.engines.analytics import (
    Ingest,
    plausible,
    plausible_script,
    posthog,
    posthog_script,
    serve_ingest,
    umami,
    umami_script,
)
from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.engines.test_forget import idle
from tests.engines.test_page_life import FOREIGN, VERSION
from tests.engines.test_script_options import LINES
from tests.support.fake_server import SITE, token
from tests.support.page_server import Site

BODY: Final = """<p id="x">Read <a href="/tea?b=1#part">this</a></p>
<grapevine-buttons channels="copy" style="display: block; min-height: 44px"></grapevine-buttons>"""
BUTTON: Final = "() => document.querySelector('grapevine-buttons').shadowRoot?.querySelector('button')"
HEAR: Final = "<script>window.heard = 0; document.addEventListener('grapevine:share', () => heard++)</script>"
ALL: Final = "datalayer plausible, matomo,umami posthog gtag"
RECORDED: Final = """<script>
window.calls = [];
for (const name of ['dataLayer', '_paq']) {
  window[name] = {push: details => { calls.push([name, details]) }};
}
for (const name of ['gtag', 'plausible']) {
  window[name] = (...details) => { calls.push([name, ...details]) };
}
window.umami = {track: (...details) => { calls.push(['umami', ...details]) }};
window.posthog = {own: 'posthog', capture(...details) { calls.push([this.own, ...details]) }};
</script>"""
"""The public functions alone, and what they were called with."""
LOAD: Final = """addresses => {
  for (const src of addresses) {
    const script = document.createElement('script');
    Object.assign(script, {src, async: false});
    script.dataset.websiteId = 'b59e9c65';
    script.dataset.hostUrl = addresses.host;
    document.head.append(script);
  }
}"""
EMBED: Final = "src => { document.head.append(Object.assign(document.createElement('script'), {src})) }"
CALLS: Final = "() => window.calls"
FORWARDED: Final = "count => calls.length == count && calls"


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with serve_ingest() as served:
        yield served


def snippet(recorder: RecorderServer, **attributes: str) -> str:
    return recorder.snippet(**{"buttons": "", "forward": ALL, **attributes})


def expected(name: str, channel: str, depth: int, source: str, path: str) -> list[Any]:
    """The six calls for one event."""
    properties = {"channel": channel, "depth": depth, "source": source}
    google: dict[str, Any] = {"method": channel, "content_type": "page", "item_id": path}
    google |= {"grapevine_depth": depth, "grapevine_source": source}
    return [
        ["dataLayer", {"event": name, **google}],
        ["plausible", name, {"props": properties}],
        ["_paq", ["trackEvent", "grapevine", name, f"{channel} / {source}", depth]],
        ["umami", name, properties],
        ["posthog", name, properties],
        ["gtag", "event", name, google],
    ]


def share_by_button(tab: Tab) -> None:
    """The page is shared, with or without a token."""
    tab.until(f"() => !!({BUTTON})()")
    before = tab.run("() => heard")
    tab.click("button")
    tab.until("before => heard == before + 1", before)


def secrets(tab: Tab) -> set[str]:
    """What must stand in nothing that is forwarded: every token that the stand-in knows, the session, the visit."""
    stored = json.loads(tab.run(f"() => sessionStorage['grapevine:{SITE}']"))
    return {
        FOREIGN,
        token(1, "copy"),
        token(1, "copy", 1),
        stored["session"],
        stored["visit"],
        *stored["tokens"].values(),
    }


def test_real_scripts_that_come_later_are_told_and_no_token_leaves_the_page(
    tab: Tab, site: Site, recorder: RecorderServer, ingest: Ingest
) -> None:
    url = site.page("/p", BODY, snippet=snippet(recorder))
    tab.visited(f"{url}?gv={FOREIGN}")
    scripts = [posthog_script(site, ingest), plausible_script(site, ingest), umami_script(site)]
    tab.run(LOAD.replace("addresses.host", f"'{ingest.origin}/umami'"), scripts)
    returned = {"channel": "whatsapp", "depth": 1, "source": "share"}
    shared = {**returned, "channel": "copy"}
    for name, properties in (("grapevine_return", returned), ("share", shared)):
        if name == "share":
            tab.copy("#x")
            recorder.wait("shares")
        [told] = ingest.events(posthog, name)
        assert {key: told[key] for key in properties} == properties
        assert told["$current_url"] == url
        [told] = ingest.events(plausible, name)
        assert (told["p"], told["u"]) == (properties, url)
        [told] = ingest.events(umami, name)
        assert (told["data"], told["url"]) == (properties, "/p")
    known = secrets(tab)
    assert all(len(each) > 5 for each in known)
    assert not {each for each in known if each in ingest.text}
    assert tab.errors() == []


SEEN_FIRST: Final = {
    "posthog": (
        posthog_script,
        posthog,
        "$pageview",
        """before_send: event => {
          const clean = text => text.replace(/([?&#])gv[-=][0-9A-Za-z]{23}&?/g, '$1').replace(/[?&#]$/, '');
          for (const all of [event?.properties, event?.$set, event?.$set_once])
            for (const name in all) if (typeof all[name] == 'string') all[name] = clean(all[name]);
          return event;
        }""",
    ),
    "plausible": (
        plausible_script,
        plausible,
        "pageview",
        """transformRequest: event => {
          event.u = event.u.replace(/([?&#])gv[-=][0-9A-Za-z]{23}&?/g, '$1').replace(/[?&#]$/, '');
          return event;
        }""",
    ),
}
"""The setting of docs/forwarding.md for each real script that has one, in its own words."""


def test_a_script_that_sees_the_token_first_leaves_it_out_when_it_is_told_to(
    tab: Tab, site: Site, recorder: RecorderServer, ingest: Ingest
) -> None:
    for name, (script, kind, event, setting) in SEEN_FIRST.items():
        for told in (False, True):
            head = f'<script src="{script(site, ingest, setting if told else "")}"></script>'
            for address in (f"?a=1&gv={FOREIGN}", f"?gv={FOREIGN}", f"#gv-{FOREIGN}"):
                tab.goto(site.page("/between", snippet=""))
                tab.run("() => { sessionStorage.clear(); localStorage.clear() }")
                ingest.got.clear()
                tab.goto(site.page("/p", BODY, head=head, snippet="") + address)
                assert ingest.events(kind, event), name
                tab.run(EMBED, f"{recorder.home}widget.js?site={SITE}&buttons=")
                tab.until("() => window.grapevine?.visit")
                assert tab.url == f"{site.origin}/p" + ("?a=1" if "a=1" in address else "")
                # Without the setting the script has seen it: what docs/forwarding.md says, and what the setting is for.
                assert (FOREIGN in ingest.text) is not told, (name, told, address)


def test_each_public_function_is_called_as_it_is_documented(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    url = site.page("/p", BODY, head=RECORDED, snippet=snippet(recorder))
    tab.visited(f"{url}?x=1#gv-{FOREIGN}")
    assert tab.until(FORWARDED, 6) == expected("grapevine_return", "whatsapp", 1, "share", "/p")
    tab.copy("#x")
    assert tab.until(FORWARDED, 12)[6:] == expected("share", "copy", 1, "share", "/tea")
    assert not {each for each in secrets(tab) if each in json.dumps(tab.run(CALLS))}
    # A reload, and another page of the visit, are no return.
    tab.visited(url)
    tab.copy("#x")
    assert tab.until(FORWARDED, 6) == expected("share", "copy", 1, "share", "/tea")
    assert tab.errors() == []


def test_shares_of_a_visit_that_is_no_return_have_depth_0_and_its_source(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    name = f"{recorder.home}widget.js?site={SITE}&buttons=&forward=dataLayer"
    tab.visited(site.page("/p", BODY, head=RECORDED, snippet=f'<script async src="{name}"></script>'))
    tab.copy("#x")
    assert tab.until(FORWARDED, 1) == expected("share", "copy", 0, "direct-deep", "/tea")[:1]


OPTED_OUT: Final = "<script>Object.defineProperty(navigator, '{}', {{value: {}}})</script>"
NOT_TOLD: Final[dict[str, dict[str, Any]]] = {
    "no consent": {"attributes": {"consent": "required"}},
    "Global Privacy Control": {"head": OPTED_OUT.format("globalPrivacyControl", "true")},
    "Do Not Track": {"head": OPTED_OUT.format("doNotTrack", "'1'")},
    "a page that says so": {"attributes": {"ignore": "on"}},
    "a robot": {
        "refusal": (202, {"Grapevine-Dropped": "robot"}, '{"visit":null,"session":null,"tokens":{},"returned":null}')
    },
    "refused": {"refusal": (403, {}, '{"code": "bad-origin"}')},
    "their own link": {"returned": {"self": True, "depth": 0}, "visit": True},
    "no token of ours": {"returned": {"valid": False, "depth": 0, "reason": "bad-signature"}, "visit": True},
}
"""Who opens the page, or how the server answers. Of those with a visit, only the return is not told."""


def test_nothing_is_told_of_what_is_not_counted(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    for name, case in NOT_TOLD.items():
        tab.goto(site.page("/between", snippet=""))
        tab.run("() => sessionStorage.clear()")
        recorder.refusal, recorder.returned = case.get("refusal"), case.get("returned", {})
        url = site.page(
            "/p",
            BODY,
            head=case.get("head", "") + RECORDED + HEAR,
            snippet=snippet(recorder, **case.get("attributes", {})),
        )
        tab.goto(f"{url}#gv={FOREIGN}")
        tab.until("() => window.grapevine?.visit" if case.get("visit") else VERSION)
        share_by_button(tab)
        idle(tab, 150)
        told = tab.run(CALLS)
        assert {call[1] if isinstance(call[1], str) else "" for call in told if call[0] == "umami"} == (
            {"share"} if case.get("visit") else set()
        ), name
        assert len(told) == (6 if case.get("visit") else 0), (name, told)
    recorder.refusal, recorder.returned = None, {}


def test_a_browser_that_is_not_counted_and_one_that_withdraws_its_consent(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    url = site.page("/p", BODY, head=RECORDED + HEAR, snippet=snippet(recorder, consent="required"))
    tab.goto(f"{url}?gv={FOREIGN}")
    tab.until(VERSION)
    share_by_button(tab)
    idle(tab, 100)
    assert (tab.run(CALLS), recorder.reports) == ([], [])
    tab.run("() => grapevine.consent(true)")
    assert tab.until(FORWARDED, 6) == expected("grapevine_return", "whatsapp", 1, "share", "/p")
    tab.run("() => grapevine.consent(false)")
    share_by_button(tab)
    idle(tab, 150)
    assert len(tab.run(CALLS)) == 6
    tab.goto(site.page("/q", BODY, head=RECORDED + HEAR, snippet=snippet(recorder)) + "#gv-ignore")
    tab.until(VERSION)
    share_by_button(tab)
    idle(tab, 150)
    assert tab.run(CALLS) == []


QUICK: Final = """<script>
window.waits = 0;
const wait = setTimeout;
window.setTimeout = (run, time, ...more) => {
  if (time == 1000) waits++;
  return wait(run, time == 1000 ? 0 : time, ...more);
};
</script>"""
"""A second passes at once, and is counted."""


def test_arrays_take_it_at_once_and_a_function_that_never_comes_is_given_up(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    url = site.page("/p", BODY, head=QUICK, snippet=snippet(recorder))
    tab.visited(f"{url}#gv={FOREIGN}")
    arrays = tab.until("() => window.dataLayer && window._paq && [...dataLayer, ..._paq]")
    told = expected("grapevine_return", "whatsapp", 1, "share", "/p")
    assert arrays == [told[0][1], told[2][1]]
    tab.until("() => waits == 4 * 30")
    idle(tab, 100)
    assert tab.run("() => waits") == 4 * 30
    tab.run("() => { window.calls = []; window.umami = {track: (...all) => { calls.push(['umami', ...all]) }} }")
    tab.copy("#x")
    assert tab.until(FORWARDED, 1) == [expected("share", "copy", 1, "share", "/tea")[3]]
    assert tab.errors() == []


def test_the_queue_of_a_page_that_has_not_loaded_plausible_yet_is_used(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    queue = """<script>
      window.plausible = window.plausible ||
        function() { (window.plausible.q = window.plausible.q || []).push(arguments) }
    </script>"""
    tab.visited(site.page("/p", BODY, head=queue, snippet=snippet(recorder, forward="plausible")) + f"#gv={FOREIGN}")
    [waiting] = tab.until("() => window.plausible.q?.map(call => [...call])")
    assert waiting == expected("grapevine_return", "whatsapp", 1, "share", "/p")[1][1:]


def test_a_script_that_throws_costs_the_page_and_the_others_nothing(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    broken = """<script>
      window.dataLayer = {push() { throw Error('full') }};
      window.plausible = () => { throw Error('broken') };
      Object.defineProperty(window, '_paq', {get() { throw Error('gone') }});
      window.umami.track = () => Promise.reject(Error('away'));
    </script>"""
    head = LINES + RECORDED.replace("'dataLayer', '_paq'", "") + broken
    url = site.page("/p", BODY, head=head, snippet=snippet(recorder, forward=ALL + " piwik constructor"))
    tab.visited(f"{url}#gv={FOREIGN}")
    told = expected("grapevine_return", "whatsapp", 1, "share", "/p")
    assert tab.until(FORWARDED, 2) == told[4:]
    idle(tab, 100)
    assert tab.errors() == []
    assert "grapevine cannot forward to piwik" in tab.run("() => lines")
