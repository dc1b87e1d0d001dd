"""Simulated agents and arrivals: the server classifies each as the simulation means it."""

from __future__ import annotations

from itertools import product

from grapevine.collect.sources import source_of
from grapevine.collect.user_agents import read_agent
from grapevine.domain.enums import DEVICE_NAMES, SOURCE_NAMES
from grapevine.domain.urls import Page
from grapevine.simulate import behaviour, people
from tests.support.differences import Differences

ORIGIN = "https://a.example"


def test_browsers_are_read_as_what_they_are() -> None:
    agents = [*(agent for _, agent in people.BROWSERS), *people.IN_APP.values()]
    differences = Differences()
    for agent in agents:
        read = read_agent(agent.text)
        found = read.robot, read.suspect, DEVICE_NAMES[read.device], read.app
        differences.compare(agent, found, (False, False, agent.device, agent.app))
    differences.check(len(agents))


def test_robots_are_read_as_what_they_are() -> None:
    for agent in people.CRAWLERS:
        assert read_agent(agent.text).robot
        assert read_agent(agent.text).preview is None
    for app, text in people.PREVIEWERS.items():
        assert read_agent(text).preview == app
    assert read_agent(people.DRIVEN.text).suspect


def test_arrivals_are_read_as_what_they_are() -> None:
    ways = [
        *(way for _, way in behaviour.ARRIVALS),
        *(way for place in behaviour.DESTINATIONS.values() for _, way in place.ways),
    ]
    differences = Differences()
    for way, is_home in product(ways, (True, False)):
        agent = people.IN_APP[way.inside] if way.inside else people.BROWSERS[0][1]
        url = f"{ORIGIN}/{'' if is_home else 'deep/page'}{'?' if way.query else ''}{way.query}"
        origin = source_of(Page(1, url, is_home), url, way.referrer, agent.app, frozenset({ORIGIN}))
        found = SOURCE_NAMES[origin.source], origin.app
        differences.compare((way, is_home), found, behaviour.shown(way, agent, is_home))
    differences.check(2 * len(ways))
