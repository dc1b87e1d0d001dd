"""Each row of ``list_overrides.toml`` works and is still needed: a row that a list has learnt by now fails here."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import msgspec

from grapevine.collect.list_overrides import (
    AssistantPattern,
    AssistantTag,
    ContentNames,
    GenericRobotPattern,
    HumanPattern,
    InAppBrowser,
    LinkShim,
    ListOverrides,
    ReferrerKey,
    ReferrerName,
    RobotPattern,
    TrackingName,
    list_overrides,
)
from grapevine.collect.sources import Origin, ReferrerReader, referrers_listed
from grapevine.collect.user_agents import Agent, AgentReader, ListedRobot, read_agent, robots_listed
from grapevine.domain.enums import SOURCES
from tests.support.differences import Differences

TABLE = list_overrides()
DATABASE = referrers_listed()
NO_ORIGINS: frozenset[str] = frozenset()
KINDS = {
    InAppBrowser: "inside",
    RobotPattern: "robot",
    AssistantPattern: "assistant",
    GenericRobotPattern: "telling",
    HumanPattern: "reader",
    ReferrerName: "name",
    ReferrerKey: "referrer",
    AssistantTag: "tag",
    LinkShim: "shim",
}
PARAMETERS = {TrackingName: "tracking", ContentNames: "content"}
"""Rows that ``build.py`` reads; tests/build/test_tracking_lists.py holds them to it that they work."""


WHERE = re.compile(r"https?://\S+\.\S+|\d on PyPI, 20\d\d|seen .*20\d\d-\d\d")
KEYS = ("mark", "family", "pattern", "name", "key", "value", "host")


def without(row: msgspec.Struct) -> ListOverrides:
    kind = KINDS[type(row)]
    return msgspec.structs.replace(TABLE, **{kind: tuple(each for each in getattr(TABLE, kind) if each is not row)})


@cache
def listed() -> list[tuple[re.Pattern[str], ListedRobot]]:
    return [(re.compile(entry.pattern), entry) for entry in robots_listed()]


def read_without(
    row: InAppBrowser | RobotPattern | AssistantPattern | GenericRobotPattern | HumanPattern,
) -> Agent:
    """Classifies the row's user agent without the row; compiles only the list's patterns that match it."""
    matching = [entry for pattern, entry in listed() if pattern.search(row.agent)]
    return AgentReader(without(row), matching).read(row.agent)


def place_url(row: ReferrerKey) -> str:
    host, _, path = row.key.partition("/")
    is_package = row.source.startswith("https://play.google.com/store/apps/")
    return f"android-app://{host}/" if is_package else f"https://{host}/{path}"


def test_every_row_says_where_it_is_from() -> None:
    rows = [row for kind in (*KINDS.values(), *PARAMETERS.values()) for row in getattr(TABLE, kind)]
    assert len(rows) > 200
    assert [row for row in rows if not WHERE.search(row.source)] == []


def test_no_row_is_there_twice() -> None:
    differences = Differences()
    for kind in KINDS.values():
        keys = [getattr(row, name) for row in getattr(TABLE, kind) for name in KEYS if getattr(row, name, None)]
        with differences.case(kind):
            assert len(keys) == len(set(keys)) == len(getattr(TABLE, kind))
    differences.check(len(KINDS))


def test_in_app_browsers() -> None:
    differences = Differences()
    for row in TABLE.inside:
        with differences.case(row):
            assert (row.mark is None) != (row.family is None)
            found = read_agent(row.agent)
            assert (found.robot, found.suspect, found.app) == (False, False, row.app)
            assert read_without(row).app != row.app
    differences.check(len(TABLE.inside))


def test_an_app_has_one_medium() -> None:
    stated = {
        *((row.app, row.medium) for row in TABLE.inside),
        *((row.app, row.medium) for row in TABLE.name),
        *((row.app, row.medium) for row in TABLE.referrer if row.app),
    }
    assert len(stated) == len({app for app, _ in stated})


def test_robots() -> None:
    differences = Differences()
    for row in TABLE.robot:
        with differences.case(row):
            expected = (not row.driven, row.driven, row.app)
            found = read_agent(row.agent)
            assert (found.robot, found.suspect, found.preview) == expected
            other = read_without(row)
            assert (other.robot, other.suspect, other.preview) != expected
    differences.check(len(TABLE.robot))


def test_assistants_that_fetch_for_a_person() -> None:
    differences = Differences()
    for row in TABLE.assistant:
        with differences.case(row):
            found = read_agent(row.agent)
            assert (found.robot, found.suspect, found.preview, found.assistant) == (True, False, row.app, True)
            other = read_without(row)
            assert other.robot
            assert (other.preview, other.assistant) != (row.app, True)
    differences.check(len(TABLE.assistant))
    visits_from = {row.app for row in TABLE.referrer if row.medium == "assistant"}
    assert {row.app for row in TABLE.assistant} - visits_from == {
        "alexa"
    }  # an assistant has one name, however it is seen


def test_what_gathers_pages_for_an_assistant_is_a_robot_and_no_fetch_for_a_person() -> None:
    crawlers = ("GPTBot/1.2", "OAI-SearchBot/1.0", "ClaudeBot/1.0", "Claude-SearchBot/1.0", "PerplexityBot/1.0")
    more = ("CCBot/2.0", "Bytespider", "Google-Extended/1.0", "Amazonbot/0.1", "Applebot-Extended/0.1")
    for name in (*crawlers, *more):
        found = read_agent(f"Mozilla/5.0 (compatible; {name}; +https://robots.example/)")
        assert (name, found.robot, found.preview, found.assistant) == (name, True, None, False)


def test_ways_in_which_robots_name_themselves() -> None:
    differences = Differences()
    for row in TABLE.telling:
        with differences.case(row):
            assert read_agent(row.agent).robot
            assert not read_without(row).robot
    differences.check(len(TABLE.telling))


def test_people_whom_the_list_of_robots_names() -> None:
    differences = Differences()
    for row in TABLE.reader:
        with differences.case(row):
            found = read_agent(row.agent)
            assert (found.robot, found.suspect) == (False, False)
            other = read_without(row)
            assert other.robot or other.suspect
    differences.check(len(TABLE.reader))


def test_names_of_the_database() -> None:
    differences = Differences()
    for row in TABLE.name:
        with differences.case(row):
            host = next(host for host, name in DATABASE["social"].items() if name == row.name)
            referrer = f"https://{host}/"
            expected = Origin(SOURCES[row.medium], row.app if row.medium == "messenger" else None)
            assert ReferrerReader(TABLE, DATABASE).read(referrer, NO_ORIGINS) == expected
            package = next(
                (p for p, name in DATABASE["social"].items() if name == row.name and p.startswith(("com.", "org."))), ""
            )
            if package:
                app = ReferrerReader(TABLE, DATABASE).read(f"android-app://{package}/", NO_ORIGINS)
                assert app == Origin(SOURCES[row.medium], row.app)
            assert package or row.medium == "messenger"  # a network without an app of its own needs no row
    differences.check(len(TABLE.name))


def test_referrers() -> None:
    differences = Differences()
    for row in TABLE.referrer:
        with differences.case(row):
            referrer = place_url(row)
            found = ReferrerReader(TABLE, DATABASE).read(referrer, NO_ORIGINS)
            assert found is not None
            assert found.source == SOURCES[row.medium]
            if row.app and row.medium in {"messenger", "assistant"}:
                assert found.app == row.app
            other = ReferrerReader(without(row), DATABASE).read(referrer, NO_ORIGINS)
            assert other is None or (other.source, other.app) != (found.source, found.app)
    differences.check(len(TABLE.referrer))


def test_tags_of_assistants() -> None:
    differences = Differences()
    for row in TABLE.tag:
        with differences.case(row):
            url = f"https://a.example/?utm_source={row.value}"
            assert ReferrerReader(TABLE, DATABASE).assistant(url) == row.app
            assert ReferrerReader(without(row), DATABASE).assistant(url) is None
    differences.check(len(TABLE.tag))


def test_shims() -> None:
    differences = Differences()
    for row in TABLE.shim:
        with differences.case(row):
            referrer = f"https://{row.host}/l.php?u=x"
            assert ReferrerReader(TABLE, DATABASE).read(referrer, NO_ORIGINS) == Origin(
                SOURCES["social"], None, shim=True
            )
            assert ReferrerReader(without(row), DATABASE).read(referrer, NO_ORIGINS) == Origin(SOURCES["social"], None)
    differences.check(len(TABLE.shim))


def test_the_page_about_sources_names_every_app(project_root: Path) -> None:
    page = (project_root / "docs/sources.md").read_text("utf-8")
    kinds = ("inside", "robot", "assistant", "name", "referrer", "tag")
    apps = {row.app for kind in kinds for row in getattr(TABLE, kind) if row.app}
    assert {app for app in apps if f"`{app}`" not in page} == set()
