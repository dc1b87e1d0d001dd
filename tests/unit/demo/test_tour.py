"""The steps of the demo's tour: the usual way, what people do otherwise, and steps that are skipped."""

from __future__ import annotations

from grapevine.demo.tour import Event, Refused, Shared, Tour, Visited

SITE = "http://127.0.0.1:8001"
ROOT = "AAAAAAAAAAA"
FIRST = Visited(ROOT, ROOT, "/", 0, None, "direct-home")
COPIED = Shared("/", 0, "copy")
FRIEND = Visited("BBBBBBBBBBB", ROOT, "/", 1, "copy", "share")
PASSED_ON = Shared("/", 1, "copy")
THIRD = Visited("CCCCCCCCCCC", ROOT, "/", 2, "copy", "share")
LAST = "Paste this second link into a third browser. The first one will do, too: the link is not its own."
USUAL: list[Event] = [FIRST, COPIED, FRIEND, PASSED_ON, THIRD]


def begun(*events: Event) -> Tour:
    tour = Tour(SITE)
    for event in events:
        tour.saw(event)
    return tour


def test_the_usual_way() -> None:
    tour = Tour(SITE)
    assert tour.next == f"Step 1 of 5. Open {SITE}/ in your browser."
    said = [tour.saw(event) for event in USUAL]
    assert said == [
        [
            "Seen: a visit to /, the first of a chain.",
            "",
            "Step 2 of 5. On that page, press the chain link in the bar at the edge: “Copy link”.",
        ],
        [
            "Seen: the link of / was copied (channel: copy).",
            "",
            "Step 3 of 5. Now be your own friend: paste the link into another browser, or into a private window.",
        ],
        [
            "Seen: a visit to / through a shared link (channel: copy, depth: 1).",
            "",
            "Step 4 of 5. In that second browser, press “Copy link” again: your friend passes the page on.",
        ],
        [
            "Seen: the link of / was copied (channel: copy).",
            "",
            f"Step 5 of 5. {LAST}",
        ],
        ["Seen: a visit to / through a shared link (channel: copy, depth: 2)."],
    ]
    assert tour.root == ROOT


def test_steps_that_are_skipped() -> None:
    tour = begun(FIRST)
    assert tour.saw(FRIEND)[-1].startswith("Step 4 of 5.")  # copied in a way that no report tells of
    assert tour.saw(THIRD) == ["Seen: a visit to / through a shared link (channel: copy, depth: 2)."]
    assert tour.root == ROOT
    deep = Visited("DDDDDDDDDDD", ROOT, "/docs/", 5, "whatsapp", "share")
    assert begun(deep).root == ROOT


def test_any_button_will_do() -> None:
    said = begun(FIRST).saw(Shared("/docs/", 0, "whatsapp"))
    assert said[0] == "Seen: the link of /docs/ was shared (channel: whatsapp)."
    assert said[2].startswith("Step 3 of 5.")


def test_the_same_browser_again() -> None:
    tour = begun(FIRST, COPIED)
    own = FRIEND._replace(depth=0, is_self=True)
    [line] = tour.saw(own)
    assert line.startswith("Seen: that was the same browser, so it is no new visitor (a self-return).")
    assert tour.saw(FRIEND)[-1].startswith("Step 4 of 5.")


def test_a_link_that_lost_its_token() -> None:
    tour = begun(FIRST, COPIED)
    [line] = tour.saw(FIRST._replace(path="/docs/"))
    assert line.startswith("Seen: a visit to /docs/, but its link has lost its end, which begins with #gv-")
    [line] = tour.saw(FIRST._replace(spoilt=True))
    assert line.startswith("Seen: a visit to /, but the end of its link was damaged on the way")
    assert tour.saw(FIRST._replace(source="internal")) == []  # a further tab of the first browser
    assert tour.next.startswith("Step 3 of 5.")
    assert begun(*USUAL[:4]).saw(FIRST)[0].startswith("Seen: a visit to /, but its link has lost its end")


def test_visits_that_are_not_waited_for() -> None:
    assert begun(FIRST).saw(FIRST) == []
    assert begun(*USUAL[:3]).saw(FIRST) == []


def test_the_wrong_browser_of_two() -> None:
    tour = begun(*USUAL[:3])
    assert tour.saw(COPIED)[1:] == [
        "That was the first browser. Press “Copy link” in the second one, which came through the link."
    ]
    tour = begun(*USUAL[:4])
    assert tour.saw(FRIEND)[1:] == ["That was the first link. Paste the second one, which the second browser copied."]


def test_programs_are_said_to_be_programs() -> None:
    tour = Tour(SITE)
    [line] = tour.saw(FIRST._replace(verdict="driven"))
    assert line.startswith("Seen: a browser that a program controls opened /.")
    [line] = tour.saw(FIRST._replace(verdict="scanner"))
    assert "taken for a program's (scanner)" in line
    assert tour.saw(Refused("robot"))[0].startswith("Seen: a robot.")
    assert tour.saw(Refused("opted-out"))[0].startswith("Seen: a browser that asks not to be tracked.")
    assert tour.saw(Refused("rate-limited")) == []
    assert tour.next.startswith("Step 1 of 5.")
