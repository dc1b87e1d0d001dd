"""A view or a share has the title of its own page, or none: never that of the page before."""

from __future__ import annotations

from typing import Final, NamedTuple

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.page_server import Site

LATER: Final = "const later = ms => new Promise(done => setTimeout(done, ms));"
CASES: Final = {
    "/set-after": ("history.pushState(null, '', '/set-after'); document.title = 'After'", "After"),
    "/set-before": ("document.title = 'Before'; history.pushState(null, '', '/set-before')", "Before"),
    "/late": ("history.pushState(null, '', '/late'); await later(400); document.title = 'Late'", "Late"),
    "/emptied": (
        "history.pushState(null, '', '/emptied'); document.title = ''; await later(200); document.title = 'Emptied'",
        "Emptied",
    ),
    "/element": (
        """history.pushState(null, '', '/element'); await later(100);
        const title = document.createElement('title'); title.textContent = 'Element';
        document.querySelector('title').replaceWith(title)""",
        "Element",
    ),
    "/same": ("history.pushState(null, '', '/same')", None),
    "/after-the-same": ("history.pushState(null, '', '/after-the-same'); document.title = 'Another'", "Another"),
    "/counted": ("history.pushState(null, '', '/counted'); document.title = '(3) Another'", None),
    "/too-late": (
        # Without the Navigation API the title is looked at five times a second.
        """history.pushState(null, '', '/too-late'); await later(1600);
        document.title = 'Too late'; await later(300)""",
        None,
    ),
    "/after-too-late": (
        "history.pushState(null, '', '/after-too-late'); await later(300); document.title = 'In time'",
        "In time",
    ),
}
"""What a router does, and the title of the view, by the path that it goes to."""


def test_a_view_has_the_title_of_its_own_page_or_none(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page())
    for number, (change, _) in enumerate(CASES.values(), 1):
        tab.run(f"async () => {{ {LATER} {change} }}")
        recorder.wait("views", number)
    views = {view["url"].removeprefix(site.origin): view.get("title") for view in recorder.of("views")}
    assert views == {path: title for path, (_, title) in CASES.items()}
    assert recorder.paths == ["visits"] + ["views"] * len(CASES)
    assert tab.errors() == []


def test_a_page_that_is_left_before_its_title_came(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    site.page("/other", snippet="")
    tab.visited(site.page())
    # The part that watches routes is loaded with the first one.
    tab.run("() => { history.pushState(null, '', '/first'); document.title = 'First' }")
    recorder.wait("views", 1)
    tab.run(f"""async () => {{ {LATER}
      history.pushState(null, '', '/second');
      await later(400);
      history.pushState(null, '', '/third');
      await later(100);
      document.title = 'Third';
    }}""")
    recorder.wait("views", 3)
    tab.run("() => history.pushState(null, '', '/fourth')")
    tab.run("() => new Promise(done => setTimeout(done, 300))")
    tab.goto(f"{site.origin}/other")
    views = [(view["url"].removeprefix(site.origin), view.get("title")) for view in recorder.wait("views", 4)]
    assert views == [("/first", "First"), ("/second", None), ("/third", "Third"), ("/fourth", None)]


LOOK: Final = """<script>
const later = setTimeout;
window.setTimeout = (run, wait, ...rest) => wait == 3000 ? (window.look = run, 0) : later(run, wait, ...rest);
window.popped = () => new Promise(done => addEventListener('popstate', done, {once: true}));
</script>"""
"""The widget looks at the title of a landing page when the test says so, not after three seconds."""
OTHER: Final = "history.pushState(null, '', '/other'); document.title = 'Other'"
BACK: Final = "const back = popped(); history.back(); await back;"


class Landing(NamedTuple):
    """What happens on a landing page, in steps; after each one the next view is waited for, if there is one."""

    steps: tuple[str, ...]
    visits: list[str]
    """The titles of the visit's reports."""
    views: list[str | None]
    """The titles of the views after it."""


LANDINGS: Final = {
    "its title comes late": Landing(("document.title = 'Late'; look()",), ["Landing", "Late"], []),
    "its title comes, and is looked at twice": Landing(
        ("document.title = 'Late'; look(); look()",), ["Landing", "Late"], []
    ),
    "its title stays": Landing(("look()",), ["Landing"], []),
    "another page is shown": Landing((OTHER, "look()"), ["Landing"], ["Other"]),
    "the reader goes back, before the title does": Landing(
        (OTHER, f"{BACK} look(); document.title = 'Landing'", "look()"), ["Landing"], ["Other", "Landing"]
    ),
    "the reader goes back, long before the title does": Landing(
        (OTHER, BACK, "look(); document.title = 'Landing'; look()"), ["Landing"], ["Other", None]
    ),
    "a router pushes its address again, before the title": Landing(
        (OTHER, "history.pushState(null, '', '/p'); look(); document.title = 'Landing'", "look()"),
        ["Landing"],
        ["Other", "Landing"],
    ),
    "the reader is back, and the title is corrected": Landing(
        (OTHER, f"{BACK} document.title = 'Landing'", "document.title = 'Corrected'; look()"),
        ["Landing", "Corrected"],
        ["Other", "Landing"],
    ),
}


def test_a_landing_page_keeps_its_own_title(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    between, landing = site.page("/between", snippet=""), site.page("/p", head=LOOK, title="Landing")
    found = {}
    for name, case in LANDINGS.items():
        tab.goto(between)
        tab.run("() => sessionStorage.clear()")
        recorder.reports.clear()
        tab.visited(landing)
        tab.until("() => !!window.look")
        for number, step in enumerate(case.steps, 1):
            tab.run(f"async () => {{ {step} }}")
            recorder.wait("views", min(number, len(case.views)))
        recorder.wait("visits", len(case.visits))
        tab.run("() => new Promise(done => setTimeout(done, 100))")
        views = [report.get("title") for report in recorder.of("views")]
        found[name] = Landing(case.steps, [report["title"] for report in recorder.of("visits")], views)
        assert len({report["nonce"] for report in recorder.of("visits")}) == 1
    assert found == LANDINGS
    assert tab.errors() == []


def test_a_share_has_the_title_of_the_page_that_is_shared(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    here, there = site.origin + "/p", site.origin + "/q"
    body = f'<p id="x">{here}</p><p id="y">{there}</p><p id="z"><a href="#part">#</a></p><p id="w">{here}?a=b</p>'
    tab.visited(site.page("/p", body, snippet=recorder.snippet(buttons="")))
    tab.run("() => { document.title = 'Corrected' }")
    for number, css in enumerate("xyzw", 1):
        tab.copy(f"#{css}")
        recorder.wait("shares", number)
    tab.run("() => { history.pushState({}, '', '/q'); document.title = 'Of another route' }")
    tab.copy("#y")
    recorder.wait("shares", 5)
    tab.copy("#x")
    assert [(share["url"], share.get("title")) for share in recorder.wait("shares", 6)] == [
        (here, "Corrected"),
        (there, None),
        (here + "#part", None),
        (here + "?a=b", None),
        (there, "Of another route"),
        (here, None),
    ]
    assert tab.errors() == []
