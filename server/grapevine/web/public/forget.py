"""``POST /v1/forget``: a visitor erases their own visit with its session."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.schemas import EMPTY, MAX_BODY, Empty, ForgetRequest
from grapevine.errors import Problem, StoreError
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.public import collect
from grapevine.web.public.collect_calls import REFUSALS, TEXT_OR_JSON
from grapevine.web.request_body import check_type, read_body
from grapevine.web.state import app_state


async def forget(request: Request) -> Response:
    """Erases the visit of a session.

    Only the fact that there was a visit stays, because the tree of its cascade needs it. It may be repeated as often as
    you like, also when nothing is left.
    """
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


OPERATIONS: Final = [
    Operation(
        method="POST",
        path="/v1/forget",
        handler=forget,
        tag="collect",
        scope=None,
        is_cors=True,
        has_preflight=True,
        body=RequestBody(ForgetRequest, MAX_BODY, TEXT_OR_JSON),
        request_headers=("Origin",),
        responses={200: ResponseSpec(Empty, "Only the fact that there was a visit is left.")},
        problems=REFUSALS,
    )
]
