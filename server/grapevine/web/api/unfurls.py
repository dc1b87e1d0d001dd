"""``POST /v1/unfurls``: what a site's own web server saw of preview robots and assistants. Scope ``write``."""

from __future__ import annotations

from functools import partial
from typing import Final, NamedTuple

from grapevine.api_schemas.unfurls import UnfurlReport, UnfurlReports, UnfurlResult, UnfurlResults
from grapevine.collect.fields import past_time
from grapevine.collect.user_agents import read_agent
from grapevine.domain import ids
from grapevine.domain.events import Unfurl, VisitNotFound
from grapevine.domain.token_urls import leading_token
from grapevine.domain.tokens import NotAToken, TokenError
from grapevine.errors import Busy, FieldError
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec

MAX_BODY: Final = 1 << 20


class _Refused(NamedTuple):
    error: str
    detail: str


class _Recorded(NamedTuple):
    event: Unfurl
    assistant: bool


async def report_unfurls(call: SiteCall, body: UnfurlReports) -> UnfurlResults:
    """Preview robots and assistants that fetched pages of your own web server.

    Send what your server saw of requests whose address carries a share token: the token and the `User-Agent` header.
    The header decides: the preview robots of messengers and networks, and assistants that open a link because a person
    asked them to, are recorded as unfurls of that share, once per share, app and hour. They are never visits, returns
    or clicks. Any other request is refused in its result and changes nothing; the rest is recorded all the same. Sent
    again, nothing is recorded twice.
    """
    found = await call.state.agent_readings.read(partial(_read, call), body.unfurls)
    recorded = [each for each in found if isinstance(each, _Recorded)]
    outcomes = iter(await call.state.collect_api.record_unfurls([each.event for each in recorded]))
    results = []
    for asked, each in zip(body.unfurls, found, strict=True):
        if isinstance(each, _Recorded) and isinstance(next(outcomes), VisitNotFound):
            each = _Refused("unknown-visit", "the visit that made this share is not here: erased, or past retention")
        results.append(_result(asked.token, each))
    return UnfurlResults(results=results)


def _read(call: SiteCall, asked: UnfurlReport) -> _Recorded | _Refused:
    site, now, errors = call.site, call.now, list[FieldError]()
    at = now if asked.at is None else past_time(asked.at, now, errors)
    if errors:
        return _Refused("invalid", f"`at` {errors[0].detail}")
    try:
        token = site.tokens.read(leading_token(asked.token))
    except NotAToken as error:
        return _Refused("not-a-token", f"not a token: {error}")
    except TokenError as error:
        return _Refused("bad-signature", f"not a share of this site: {error}")
    if token.is_session:
        return _Refused("not-a-token", "a session, which is never shared")
    if at < ids.day_start(ids.day_of(token.visit_id) - 1):  # the day of an id is its visitor's, which may be one off
        return _Refused("invalid", "`at` is before the share was made")
    days = call.state.settings.retention_days
    if days and ids.day_at(at) < ids.day_at(now) - days:
        return _Refused("invalid", f"`at` is past retention: this server keeps {days} days")
    agent = read_agent(asked.agent)
    if agent.preview is None:
        what = "another robot" if agent.robot else "a browser or a program"
        return _Refused("invalid", f"`agent` is that of {what}, neither a preview robot nor an assistant that is known")
    event = Unfurl(site_id=site.site_id, token=token, at=at, app=agent.preview)
    return _Recorded(event, agent.assistant)


def _result(token: str, found: _Recorded | _Refused) -> UnfurlResult:
    if isinstance(found, _Refused):
        return UnfurlResult(token=token, app=None, assistant=False, error=found.error, detail=found.detail)
    return UnfurlResult(token=token, app=found.event.app, assistant=found.assistant)


OPERATIONS: Final = [
    Operation(
        method="POST",
        path="/v1/unfurls",
        handler=report_unfurls,
        tag="unfurls",
        scope="write",
        body=RequestBody(UnfurlReports, MAX_BODY),
        responses={200: ResponseSpec(UnfurlResults, "What became of each request, in the order sent.")},
        problems=(Busy,),
    )
]
