"""Erasing a visit on the dashboard: a form on the token look-up page, for keys of scope ``admin``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grapevine.domain.tokens import TokenError
from grapevine.errors import Forbidden, Invalid, UnknownVisit
from grapevine.web.dashboard.page import Viewer, dashboard_page, viewer_context
from grapevine.web.dashboard.security import read_form, refuse_foreign
from grapevine.web.state import app_state
from grapevine.writer.erasure import Erased


def may_erase(viewer: Viewer) -> bool:
    """Returns whether the viewer's key allows to erase visits."""
    return viewer.key.scope == "admin"


@dashboard_page
async def erase_visit(request: Request) -> Response:
    """``POST /tokens/erase``. Erases the visit that made a share, once the form confirms it; of a minted link that
    deletes the link."""
    refuse_foreign(request, app_state(request).settings)
    state, viewer, view_url = await viewer_context(request, "tokens")
    if not may_erase(viewer):
        raise Forbidden("This key may not erase visits; sign in with one of scope admin.")
    form = await read_form(request)
    if form.get("sure") != "yes":
        raise Invalid.of("sure", "must be checked: an erasure cannot be undone")
    try:
        visit_id = viewer.site.tokens.visit_named(form.get("visit", ""))
    except TokenError as error:
        raise Invalid.of("visit", f"names no visit of this site: {error}") from None
    if await state.eraser.erase(viewer.site.site_id, visit_id) is Erased.UNKNOWN:
        raise UnknownVisit("That visit is not here: it is past retention, or is not this site's.")
    return RedirectResponse(view_url.to("/tokens", erased="link" if form.get("kind") == "link" else "yes"), 303)
