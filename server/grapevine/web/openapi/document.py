"""``openapi.json`` as a whole: the description of every call that a server takes (OpenAPI 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from grapevine import __version__
from grapevine.api_schemas.problems import ProblemBody
from grapevine.web.api.operation import Operation
from grapevine.web.openapi import headers
from grapevine.web.openapi.calls import KEY, operation_object, types_of
from grapevine.web.openapi.problems import problem_responses, shared_name
from grapevine.web.openapi.schemas import Schemas

TAGS: Final = {
    "tokens": "The share behind a token, the chain that led to it, and what grew from it.",
    "statistics": "The numbers of a site for a period of UTC days. A period has 30 days by default.",
    "cascades": "Chains of shares, drawn as trees.",
    "conversions": "Goals that visits reach.",
    "answers": "What people said when they were asked how they heard of a site, beside what was measured.",
    "visits": "Single visits.",
    "unfurls": "Preview robots and assistants that fetched pages of a site's own web server.",
    "exports": "Whole tables as files.",
    "live": "What is stored of a site, as it is committed.",
    "receipts": "Signed receipts of conversions, and what those who hold one ask.",
    "sites": "The sites that an API key reaches.",
    "keys": "API keys, none of which sees or makes one that reaches further than itself.",
    "mentions": "Pages elsewhere that mention pages of a site.",
    "feeds": "The feeds that are read for mentions of a site's pages.",
    "webhooks": "Where a site's events are sent to, as the Standard Webhooks specification says.",
    "collect": "What the pages of a site call, without a key.",
    "links": "Links that you make, and what people open: short links and what belongs to them.",
    "health": "Whether the server works.",
    "problems": "What the codes of problems mean, for people.",
    "description": "This description.",
}
"""Groups of calls, in their order."""

_INTRODUCTION: Final = """\
Requests and responses are JSON in UTF-8. Times are RFC 3339 UTC with milliseconds, money is a decimal string, ratios
are null instead of a division by zero. Errors are `application/problem+json` (RFC 9457), and their `type` is the
address of a page that explains them. A 422 names wrong fields in `errors`, and may name others once these are right; a
method that an address does not have is 405 `method-not-allowed`. A call with a key refuses parameters that it does not
know, so that a typing error does not go unnoticed.

{key}

A visit is one arrival of a browser at a site. A share is one act of sharing a page: a copied link, a tap on a share
button. Each shared link carries a token, which names its share. A return is a visit that came with somebody else's
token. A cascade is a first visit with everything that grew from it by sharing.

Every `GET` may be a `HEAD`. Any response may have the headers {headers}."""
_KEY: Final = (
    "Send an API key as `Authorization: Bearer KEY`; `grapevine key add SITE --scope read` makes one. It works for the "
    "sites that it was made for, and as far as its scope reaches: `read` reads numbers, `write` also reports "
    "conversions and makes links, `admin` also erases visits and manages sites, keys and webhooks. Pages send no key, "
    "but the public key of their site, which is no secret."
)
_SITE: Final = "The public key of the site; needed with an API key that reaches several sites."
_CONVERTOR: Final = re.compile(r":\w+(?=})")


def describe(operations: Iterable[Operation], server: str) -> dict[str, Any]:
    """Returns the OpenAPI document of ``operations``, which are served below the URL ``server``."""
    calls = list(operations)
    bodies = [ProblemBody, *(kind for call in calls for kind in types_of(call))]
    params = [kind for call in calls for kind in (call.query, call.path_params) if kind is not None]
    schemas = Schemas([*bodies, *params])
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(_CONVERTOR.sub("", call.path), {})[call.method.lower()] = operation_object(call, schemas)
    refusals = {
        shared_name(call, status): response
        for call in calls
        for status, response in problem_responses(call, schemas).items()
    }
    everywhere = ", ".join(f"`{name}` ({text})" for name, text in headers.EVERYWHERE.items())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Grapevine",
            "version": __version__,
            "summary": "Measures word of mouth: who shared a page, who came through it, and what grew from there.",
            "description": _INTRODUCTION.format(headers=everywhere, key=_KEY),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {KEY: {"type": "http", "scheme": "bearer", "description": _KEY}},
            "parameters": {
                "site": {
                    "name": "site",
                    "in": "query",
                    "description": _SITE,
                    "schema": {"type": "string"},
                }
            },
            "headers": {
                name: {"description": spec.description, "schema": spec.schema, "example": spec.example}
                for name, spec in headers.RESPONSE.items()
            },
            "responses": dict(sorted(refusals.items())),
            "schemas": schemas.only(bodies),
        },
    }
