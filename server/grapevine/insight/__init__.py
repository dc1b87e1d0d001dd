"""The questions that the read API, the dashboard and the command line ask, each answered with structs of the contract.

All times that come in are UTC milliseconds, all that go out are RFC 3339 texts.
"""

from grapevine.insight.attribution import attribution
from grapevine.insight.cascades import cascade, cascades
from grapevine.insight.numbers import breakdown, series, summary
from grapevine.insight.shares import resolve, resolve_many
from grapevine.insight.spikes import spikes

__all__ = ["attribution", "breakdown", "cascade", "cascades", "resolve", "resolve_many", "series", "spikes", "summary"]
