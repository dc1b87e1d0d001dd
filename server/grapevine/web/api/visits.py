"""``DELETE /v1/visits/{token}``: erases one visit. Scope ``admin``."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.domain.tokens import BadSignature, NotAToken
from grapevine.errors import BadSignatureProblem, NotATokenProblem, UnknownVisit
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.writer.erasure import Erased


class VisitPath(msgspec.Struct, frozen=True):
    """The path of one visit."""

    token: Annotated[str, msgspec.Meta(examples=["86Yqi1yJE1R97caFSkEt8V0"])]
    """A share token or session of the visit, or the visit's id."""


async def erase_visit(call: SiteCall, path: VisitPath) -> None:
    """Erases the visit that a token of the site names, or a visit's id.

    Only the fact that there was a visit stays, because the tree of its cascade needs it.
    """
    try:
        visit_id = call.site.tokens.visit_named(path.token)
    except NotAToken as error:
        raise NotATokenProblem(f"Neither a token nor the id of a visit: {error}.") from None
    except BadSignature as error:
        raise BadSignatureProblem(f"Not a token of this site: {error}.") from None
    if await call.state.eraser.erase(call.site.site_id, visit_id) is not Erased.NOW:
        raise UnknownVisit("That visit is not here: it was erased before, is past retention, or is not this site's.")


OPERATIONS: Final = [
    Operation(
        method="DELETE",
        path="/v1/visits/{token}",
        handler=erase_visit,
        tag="visits",
        scope="admin",
        path_params=VisitPath,
        responses={204: ResponseSpec(text="It is erased.")},
        problems=(NotATokenProblem, BadSignatureProblem, UnknownVisit),
    )
]
