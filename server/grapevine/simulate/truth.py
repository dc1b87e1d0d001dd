"""The truth about a world, and the file it is kept in: one JSON object a line, each with its ``kind``.

What the server answered stands under ``served``; all else is the same for one seed, wherever it is played.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from grapevine.errors import GrapevineError
from grapevine.simulate.parameters import Parameters


class Link(NamedTuple):
    """A share: the number of the visit it was made in, its channel, and its number there."""

    visit: int
    channel: str
    n: int


class ServerResult(msgspec.Struct):
    """The server's result for a visit: its id and a share token of it (null for what it refused, with the reason), and
    the number of the day on which it was stored."""

    visit: str | None
    token: str | None
    day: int
    dropped: str | None = None


class PlayLine(msgspec.Struct, tag="play", tag_field="kind"):
    """The first line: which world it was and where it was played."""

    seed: int
    parameters: Parameters
    server: str = ""
    site: str = ""


class ReachedGoal(NamedTuple):
    """A goal that a visit reached, worth a decimal number of a currency, or null."""

    name: str
    value: str | None
    currency: str | None


class Visit(msgspec.Struct, tag="visit", tag_field="kind"):
    """One arrival. ``robot`` is null for people, else ``crawler`` (it says so), ``scanner``, ``replay`` or ``driven``.

    ``way`` is how they really came (``share``, ``search``, ``typed``, ``bookmark`` …); ``parent`` the visit that really
    led to this one, however its page was passed on, ``channel`` the channel of that share (null when untagged),
    ``place`` where it was pasted, and ``depth`` how many people it went through. ``token`` is what became of the token
    on the way: ``kept``, ``stripped``, ``damaged``, or null when there never was one. ``private``: it came through a
    private conversation; ``dark``: and nothing that arrived with it tells so.
    ``source``, ``app`` and ``device`` are what can be known of the arrival without a token.
    ``visitor`` is one number for one address, agent and language. ``views`` arrived, the first among them;
    ``goals`` were reached, ``answers`` were given to "how did you hear about us?".
    """

    number: int
    at: str
    human: bool
    robot: str | None
    way: str
    page: str
    source: str
    app: str | None
    device: str
    visitor: int
    depth: int = 0
    parent: int | None = None
    channel: str | None = None
    n: int | None = None
    place: str | None = None
    private: bool = False
    dark: bool = False
    token: str | None = None
    own: bool = False
    opted_out: bool = False
    views: int = 1
    goals: list[ReachedGoal] = []
    answers: list[str] = []
    served: ServerResult | None = None

    @property
    def link(self) -> Link | None:
        """The share whose token arrived unchanged."""
        if self.token != "kept" or self.parent is None or self.channel is None or self.n is None:  # noqa: S105
            return None
        return Link(self.parent, self.channel, self.n)


class Share(msgspec.Struct, tag="share", tag_field="kind"):
    """One share by the widget. ``acts`` of sharing went out with its token, ``reports`` of them arrived and ``lost``
    never did; ``unfurls`` are the apps whose preview robots fetched it."""

    visit: int
    channel: str
    n: int
    at: str
    page: str
    private: bool
    acts: int = 0
    reports: int = 0
    lost: int = 0
    unfurls: list[str] = []
    served: str | None = None


class EndLine(msgspec.Struct, tag="end", tag_field="kind"):
    """The last line: how many requests were made, and how many of them are to be refused or repeats, by reason."""

    requests: int
    drops: dict[str, int]


Line = PlayLine | Visit | Share | EndLine


class Truth:
    """Everything that happened so far in a world."""

    def __init__(self, play: PlayLine) -> None:
        self.play = play
        self.visits: list[Visit] = []
        self.shares: dict[Link, Share] = {}
        self.drops: Counter[str] = Counter()
        self.requests = 0

    def lines(self) -> Iterator[Line]:
        """Yields the lines of the file."""
        yield self.play
        yield from self.visits
        yield from self.shares.values()
        yield EndLine(self.requests, dict(sorted(self.drops.items())))

    def write(self, path: Path) -> None:
        """Writes the file. Raises GrapevineError when it cannot be written."""
        try:
            with path.open("wb") as file:
                for line in self.lines():
                    file.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise GrapevineError(f"{path} cannot be written: {error.strerror}") from None

    @classmethod
    def read(cls, path: Path) -> Truth:
        """Reads a file. Raises GrapevineError when it cannot be read or is incomplete."""
        decoder = msgspec.json.Decoder[Line](Line)
        truth: Truth | None = None
        number = 1
        try:
            with path.open("rb") as file:
                for text in file:
                    line = decoder.decode(text)
                    if isinstance(line, PlayLine):
                        truth = cls(line)
                    elif truth is None:
                        break
                    elif isinstance(line, Visit):
                        truth.visits.append(line)
                    elif isinstance(line, Share):
                        truth.shares[Link(line.visit, line.channel, line.n)] = line
                    else:
                        truth.requests, truth.drops = line.requests, Counter(line.drops)
                        return truth
                    number += 1
        except OSError as error:
            raise GrapevineError(f"{path} cannot be read: {error.strerror}") from None
        except (msgspec.MsgspecError, GrapevineError) as error:
            raise GrapevineError(f"{path}, line {number}, is no line of a truth: {error}") from None
        raise GrapevineError(f"{path} is not a whole truth: it has no beginning or no end")
