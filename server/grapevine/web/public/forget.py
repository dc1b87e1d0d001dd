"""``POST /v1/forget``: a visitor erases their own visit with its session."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.schemas import EMPTY, MAX_BODY
from grapevine.errors import Problem, StoreError
from grapevine.web.public import collect
from grapevine.web.request_body import check_type, read_body
from grapevine.web.state import app_state


async def forget(request: Request) -> Response:
    """Erases the visit of a session, and returns ``{}``, also when nothing is left of it; answers the CORS preflight.

    A page calls it as it calls the collect API, and it is refused as those calls are.
    """
    if request.method == "OPTIONS":
        return collect.preflight()
    state = app_state(request)
    try:
        body = await read_body(request, MAX_BODY)
        check_type(request.headers.get("content-type", ""), collect.TYPES)
    except Problem as problem:
        state.collect_api.count_refusal(problem)
        return collect.failure(problem)
    client = collect.client_info(request.headers, request.client.host if request.client else "")
    try:
        site, visit_id = await state.collect_api.read_forget(body, client)
        await state.eraser.erase(site.site_id, visit_id)
    except (Problem, StoreError) as error:
        return collect.failure(error)
    return collect.response(200, None, collect.encode(EMPTY))
