"""How many people are refused as robots, and how many robots pass for people: ``python -m tests.accuracy.agents``.

Two public sets that packages carry, read as files and never imported. ``device-detector`` holds the agents that
Matomo's device detector is tested with, each with what it is: breadth, every odd device counts as much as the
commonest. ``fake-useragent`` holds agents of real visits with their share of all: depth.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final, NamedTuple

import yaml

from grapevine.collect.user_agents import Agent, read_agent

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ITEM: Final = re.compile(r"^-\s*\n", re.MULTILINE)


class AgentShare(NamedTuple):
    """An agent string and its share of its set."""

    agent: str
    share: float


class Found(NamedTuple):
    """The result for a set: ``wrong`` by weight, and the agents themselves."""

    share: float
    size: int
    wrong: tuple[str, ...]


@cache
def matomo_people(one_in: int = 1) -> list[AgentShare]:
    """Browsers of Matomo's device detector, also those within apps; or only one in so many, which is parsed sooner."""
    folder = files("device_detector").joinpath("tests", "fixtures", "upstream")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".yml"))
    texts = [folder.joinpath(name).read_text("utf-8") for name in names if not name.startswith(("bots", "clienthints"))]
    items = [item for text in texts for item in _ITEM.split(text)[1:]]
    rows = yaml.load("".join(f"-\n{item}" for item in items[::one_in]), _LOADER)  # noqa: S506 (a safe loader)
    return _even([str(row["user_agent"]) for row in rows if _is_browser(row)])


@cache
def matomo_robots() -> list[AgentShare]:
    """Robots of Matomo's device detector."""
    text = files("device_detector").joinpath("tests", "fixtures", "upstream", "bots.yml").read_text("utf-8")
    return _even([str(row["user_agent"]) for row in yaml.load(text, _LOADER)])  # noqa: S506 (a safe loader)


def visits() -> list[AgentShare]:
    """Agents of real visits, weighted by their share of all."""
    lines = files("fake_useragent").joinpath("data", "browsers.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    whole = sum(row["percent"] for row in rows)
    return [AgentShare(row["useragent"], row["percent"] / whole) for row in rows]


class Read(NamedTuple):
    """A set after it was read."""

    seen: Sequence[AgentShare]
    agents: Sequence[Agent]

    def refused(self) -> Found:
        """Finds the people refused as robots."""
        return self._find(lambda agent: agent.robot)

    def suspected(self) -> Found:
        """Finds the people stored but not counted."""
        return self._find(lambda agent: agent.suspect)

    def passed(self) -> Found:
        """Finds the robots counted as people."""
        return self._find(lambda agent: not agent.robot and not agent.suspect)

    def _find(self, is_wrong: Callable[[Agent], bool]) -> Found:
        wrong = [seen for seen, agent in zip(self.seen, self.agents, strict=True) if is_wrong(agent)]
        return Found(sum(seen.share for seen in wrong), len(self.seen), tuple(seen.agent for seen in wrong))


def read(seen: Sequence[AgentShare]) -> Read:
    """Classifies every agent of a set as the server does."""
    return Read(seen, [read_agent(each.agent) for each in seen])


def browser_like(seen: Iterable[AgentShare]) -> list[AgentShare]:
    """Returns the robots that claim to be browsers, as every program does that runs the scripts of a page."""
    return _even([each.agent for each in seen if each.agent.startswith("Mozilla/")])


def _is_browser(row: dict[str, Any]) -> bool:
    client = row.get("client")
    kind = client.get("type") if isinstance(client, dict) else None
    return kind == "browser" or (kind == "mobile app" and str(row["user_agent"]).startswith("Mozilla/"))


def _even(agents: Sequence[str]) -> list[AgentShare]:
    distinct = sorted(set(agents))
    return [AgentShare(agent, 1 / len(distinct)) for agent in distinct]


def main() -> None:
    """Prints the figures, and with ``-v`` the agents behind them."""
    browsers, robots = matomo_people(), matomo_robots()
    people, visitors = read(browsers), read(visits())
    detector, fake = f"device-detector {version('device-detector')}", f"fake-useragent {version('fake-useragent')}"
    rows = (
        (f"people refused as robots, {detector}", people.refused()),
        (f"people refused as robots, {fake}, by share of visits", visitors.refused()),
        (f"people taken for driven browsers, {detector}", people.suspected()),
        (f"people taken for driven browsers, {fake}, by share of visits", visitors.suspected()),
        (f"robots counted as people, {detector}", read(robots).passed()),
        (
            f"robots counted as people, {detector}, of those that say they are browsers",
            read(browser_like(robots)).passed(),
        ),
    )
    print(f"crawler-user-agents {version('crawler-user-agents')}, ua-parser-builtins {version('ua-parser-builtins')}")
    for name, found in rows:
        print(f"{100 * found.share:7.3f} %  {len(found.wrong):5,} of {found.size:6,}  {name}")
        for agent in found.wrong if "-v" in sys.argv else ():
            print(f"      {agent}")


if __name__ == "__main__":
    main()
