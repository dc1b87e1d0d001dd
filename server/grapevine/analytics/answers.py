"""What people said when they were asked, beside what was measured of the same visits; and the answers themselves."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import msgspec

from grapevine.answers.agreement import COMPARABLE, Agreement, compare, wilson
from grapevine.domain import channels, cursors, enums, ids
from grapevine.domain.enums import ANSWER_CLASSES
from grapevine.domain.periods import Period, rfc3339
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.store.readers.answers import AnswerCount, MeasuredAnswer
from grapevine.store.readers.reads import Reads

MOST_ANSWERS: Final = 1_000

ClassName = Annotated[str, msgspec.Meta(examples=["friend"], extra_json_schema={"enum": [*ANSWER_CLASSES]})]


class AnswerClass(msgspec.Struct, frozen=True, kw_only=True, rename={"name": "class"}):
    """The answers of one class beside what was measured of their visits."""

    name: ClassName
    """The class: a person's where somebody corrected it, else that of the rules."""
    answers: int
    """How many answers, those without a visit and of suspects included."""
    sources: dict[str, int]
    """How many of their visits came from each source."""
    channels: dict[str, int]
    """How many of those that came through a share came on each channel."""
    comparable: bool
    """Whether there are sources that agree with this class: no visit shows a podcast."""
    agree: int
    """How many agree with the source that was measured."""
    differ: int
    """How many say something else than was measured."""
    unmeasured: int
    """Of visits that came directly, or from the site itself: nothing was measured that could agree or differ."""
    agreement: Agreement | None
    """How often both agree, where something was measured; null without such answers."""


class AnswerStats(msgspec.Struct, frozen=True, kw_only=True):
    """Answers of a period by class, beside the measured sources of the same visits."""

    answers: int
    """All answers of the period."""
    without_visit: int
    """Of these, how many name no visit, or one that is past retention: nothing is compared."""
    suspects: int
    """Of these, how many belong to visits that are taken for no persons: they are not compared."""
    unclassified: int
    """Of these, how many have no class yet: they are older than the rules, and a job will classify them."""
    agreement: Agreement | None
    """How often both agree, over all classes that can be compared."""
    classes: list[AnswerClass]
    """The classes that have answers, the most answers first."""


class AnswerView(msgspec.Struct, frozen=True, kw_only=True, rename={"class_": "class"}):
    """One answer. `text` and `contact` are what somebody typed: show them as text."""

    id: Annotated[str, msgspec.Meta(examples=["4fQ0aZk31Lm7MbT2kQ9xZa"])]
    """The id of the answer, 22 letters and digits."""
    at: str
    """When it was given."""
    text: Annotated[str, msgspec.Meta(examples=["A friend sent me your article on WhatsApp"])]
    """What was written, as it was written."""
    contact: str | None
    """How to reach the person who wrote it, where that was given."""
    class_: Annotated[str | None, msgspec.Meta(extra_json_schema={"enum": [*ANSWER_CLASSES, None]})]
    """What it means; null until a job has classified it."""
    class_by: Annotated[str | None, msgspec.Meta(extra_json_schema={"enum": ["rule", "person", None]})]
    """Who says so: a `rule`, or a `person` who corrected it."""
    channel: Annotated[str | None, msgspec.Meta(examples=["whatsapp"])]
    """The channel that the text names."""
    by: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*enums.CONVERSION_REPORTERS]})]
    """Who reported it: a `page`, or your server with a `key`."""
    visit: str | None
    """The visit that it belongs to; null without one."""
    source: str | None = None
    """Where that visit came from, as measured."""
    arrived_by: str | None = None
    """The channel of the share that it came through."""


class ListedAnswers(NamedTuple):
    """Some answers; ``next`` is the cursor of older ones, None after the oldest."""

    answers: list[AnswerView]
    next: str | None


class _Position(NamedTuple):
    """Behind which answer a page begins."""

    at: cursors.Number
    visit_id: cursors.Number
    event_key: cursors.Number


_NEWEST: Final = _Position(1 << 62, -1, -1)


class _Tally:
    def __init__(self) -> None:
        self.answers = 0
        self.sources: dict[str, int] = {}
        self.channels: dict[str, int] = {}
        self.verdicts = {"agree": 0, "differ": 0, "unmeasured": 0}

    def add(self, meaning: str, row: AnswerCount) -> None:
        self.answers += row.times
        if row.source is None or row.suspect:
            return
        source = enums.SOURCE_NAMES[row.source]
        self.sources[source] = self.sources.get(source, 0) + row.times
        if row.channel is not None:
            name = channels.NAMES[row.channel]
            self.channels[name] = self.channels.get(name, 0) + row.times
        verdict = compare(meaning, row.named, row.source, row.channel)
        if verdict is not None:
            self.verdicts[verdict] += row.times


async def answer_stats(reads: Reads, site: Site, period: Period) -> AnswerStats:
    """Returns the answers of a period by class, beside what was measured."""
    tallies: dict[str, _Tally] = {}
    total = without = suspects = unclassified = 0
    for row in await reads.answers.by_measured(site.site_id, period.start, period.end):
        total += row.times
        without += row.times if row.source is None else 0
        suspects += row.times if row.suspect else 0
        if row.meaning is None:
            unclassified += row.times
        else:
            tallies.setdefault(row.meaning, _Tally()).add(row.meaning, row)
    agreed = sum(each.verdicts["agree"] for each in tallies.values())
    differing = sum(each.verdicts["differ"] for each in tallies.values())
    order = sorted(tallies, key=lambda name: (-tallies[name].answers, ANSWER_CLASSES.index(name)))
    return AnswerStats(
        answers=total,
        without_visit=without,
        suspects=suspects,
        unclassified=unclassified,
        agreement=wilson(agreed, agreed + differing),
        classes=[_class(name, tallies[name]) for name in order],
    )


def _class(name: str, tally: _Tally) -> AnswerClass:
    agree, differ = tally.verdicts["agree"], tally.verdicts["differ"]
    return AnswerClass(
        name=name,
        answers=tally.answers,
        sources=dict(sorted(tally.sources.items())),
        channels=dict(sorted(tally.channels.items())),
        comparable=name in COMPARABLE,
        agree=agree,
        differ=differ,
        unmeasured=tally.verdicts["unmeasured"],
        agreement=wilson(agree, agree + differ),
    )


async def list_answers(
    reads: Reads, site: Site, period: Period, limit: int = 100, *, class_: str | None = None, cursor: str | None = None
) -> ListedAnswers:
    """Returns the answers of ``period``, the newest first, ``limit`` (1…1,000) at a time; with ``class_`` those alone.

    Raises Invalid for a class that does not exist, a limit outside its bounds, or a cursor of another list.
    """
    cursors.check_limit(limit, MOST_ANSWERS)
    if class_ is not None:
        check_class(class_)
    asked = cursors.question("answers", site.key, class_)
    position = _NEWEST if cursor is None else cursors.read(cursor, asked, _Position)
    found = await reads.answers.listed(site.site_id, period.start, period.end, class_, position, limit + 1)
    rows = found[:limit]
    following = None
    if len(found) > limit:
        last = rows[-1].row
        following = cursors.written(asked, _Position(last.at, last.visit_id, last.event_key))
    return ListedAnswers([answer_view(each) for each in rows], following)


def check_class(name: str) -> None:
    """Raises Invalid where that is no class of answers."""
    if name not in ANSWER_CLASSES:
        raise Invalid.of("class", f"{name[:40]!r} is no class; they are {', '.join(ANSWER_CLASSES)}")


def answer_view(found: MeasuredAnswer) -> AnswerView:
    """Returns an answer as it is shown."""
    row = found.row
    return AnswerView(
        id=row.answer_id,
        at=rfc3339(row.at),
        text=row.text,
        contact=row.contact,
        class_=row.meaning,
        class_by=row.class_by,
        channel=row.channel_name,
        by=row.said_by,
        visit=ids.visit_text(row.visit_id) if row.visit_id else None,
        source=None if found.source is None else enums.SOURCE_NAMES[found.source],
        arrived_by=None if found.channel is None else channels.NAMES[found.channel],
    )
