"""The questions that the read API, the dashboard and the command line ask, each answered with structs of the contract.

All times that come in are UTC milliseconds, all that go out are RFC 3339 texts.
"""

from grapevine.analytics.attribution import attribution
from grapevine.analytics.cascades import cascade, cascades
from grapevine.analytics.spikes import spikes
from grapevine.analytics.summary import breakdown, series, summary
from grapevine.analytics.token_resolution import resolve, resolve_many

__all__ = ["attribution", "breakdown", "cascade", "cascades", "resolve", "resolve_many", "series", "spikes", "summary"]
