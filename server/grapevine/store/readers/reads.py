"""All readers of analytics over one runner."""

from __future__ import annotations

from grapevine.store.query_runner import Runner
from grapevine.store.readers.answers import AnswerReader
from grapevine.store.readers.attribution import AttributionReader
from grapevine.store.readers.cascades import CascadeReader
from grapevine.store.readers.conversions import ConversionReader
from grapevine.store.readers.direct import DirectReader
from grapevine.store.readers.links import LinkReader
from grapevine.store.readers.pages import PageReader
from grapevine.store.readers.payouts import PayoutReader
from grapevine.store.readers.rates import RateReader
from grapevine.store.readers.shares import ShareReader
from grapevine.store.readers.summary import SummaryReader


class Reads:
    """One reader for each kind of question, a method for each named query. None of them changes anything."""

    def __init__(self, runner: Runner) -> None:
        self.summary = SummaryReader(runner)
        self.shares = ShareReader(runner)
        self.cascades = CascadeReader(runner)
        self.attribution = AttributionReader(runner)
        self.direct = DirectReader(runner)
        self.links = LinkReader(runner)
        self.conversions = ConversionReader(runner)
        self.pages = PageReader(runner)
        self.payouts = PayoutReader(runner)
        self.answers = AnswerReader(runner)
        self.rates = RateReader(runner)
