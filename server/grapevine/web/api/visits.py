"""``DELETE /v1/visits/{token}``: erases one visit. Scope ``admin``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from grapevine.domain.tokens import BadSignature, NotAToken
from grapevine.errors import BadSignatureProblem, NotATokenProblem, UnknownVisit
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import QueryParams
from grapevine.web.responses import NO_STORE
from grapevine.web.state import app_state
from grapevine.writer.erasure import Erased


async def erase_visit(request: Request) -> Response:
    """Erases the visit that a token of the site names, or a visit's id. Returns 204; 404 when it is not there."""
    site = await authorized(request, "admin")
    QueryParams(request)
    try:
        visit_id = site.tokens.visit_named(request.path_params["token"])
    except NotAToken as error:
        raise NotATokenProblem(f"Neither a token nor the id of a visit: {error}.") from None
    except BadSignature as error:
        raise BadSignatureProblem(f"Not a token of this site: {error}.") from None
    if await app_state(request).eraser.erase(site.site_id, visit_id) is not Erased.NOW:
        raise UnknownVisit("That visit is not here: it was erased before, is past retention, or is not this site's.")
    return Response(status_code=204, headers=NO_STORE)
