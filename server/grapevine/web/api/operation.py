"""``Operation``: one call of the HTTP API, declared once beside its handler.

Routes, ``/openapi.json``, ``/docs``, ``docs/api.md`` and the tests that walk the API are made from these declarations.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, Literal

import msgspec

from grapevine.api_schemas.queries import NoQuery
from grapevine.errors import Problem

Struct = type[msgspec.Struct]
Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
Scope = Literal["read", "write", "admin"]
Handler = Callable[..., Awaitable[Any]]

JSON_TYPES: Final = ("application/json",)
_ENTITY_TAG: Final = ("ETag", "Vary")
HTML: Final = ("text/html; charset=utf-8",)


@dataclass(frozen=True)
class RequestBody:
    """The body of a request: JSON of ``kind`` (or of one of several structs; a text), of at most ``most`` bytes.

    A body is refused whose ``Content-Type`` is none of ``media_types``; it may have none.
    """

    kind: Struct | tuple[Struct, ...] | type[str]
    most: int
    media_types: tuple[str, ...] = JSON_TYPES

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types that the body may have."""
        return self.kind if isinstance(self.kind, tuple) else (self.kind,)


@dataclass(frozen=True)
class ResponseSpec:
    """One response that is no Problem: its body (a type that msgspec encodes, or one of several; None without one), and
    its headers.

    ``text`` says what it is; the names of ``headers`` are described in ``web/openapi/headers.py``. ``links`` are calls
    that may follow: by their name, what their path parameters and the fields of their body (``body.NAME``) are, each a
    JSON pointer into this body or an expression of OpenAPI (``$request.path.id``).
    """

    body: Any = None
    text: str = "Done."
    media_types: tuple[str, ...] = JSON_TYPES
    headers: tuple[str, ...] = ()
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types that the body may have; none without one."""
        return () if self.body is None else self.body if isinstance(self.body, tuple) else (self.body,)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One call. Its summary and description are the docstring of ``handler``, whose name is the call's id.

    With a ``scope`` the call needs an API key of that scope or a wider one. Its handler takes a ``SiteCall`` (where
    ``of_site`` is false, a ``KeyCall``) and, by keyword, ``query``, ``path`` and ``body`` as far as they are declared.
    It returns the body of the first of ``responses``, None for no body, or a whole ``Response``. Without a scope, the
    handler takes the ``Request``.

    ``optional_scope`` is that of a call which needs no key and does more with one; where it takes another body then,
    ``with_key`` is the name of the call whose example of a request shows that. ``keyed_examples`` are further ones of
    that: by the name of each, what it shows. ``is_cors`` says that pages of every origin may read the response,
    ``has_preflight`` that they ask before (a ``POST`` that is answered on ``OPTIONS``, too). ``problems`` are
    those that not every call of its kind may raise (``web/openapi`` knows the others).
    ``request_headers`` are the names of headers that it reads.
    """

    method: Method
    path: str
    handler: Handler
    tag: str
    scope: Scope | None
    optional_scope: Scope | None = None
    with_key: str | None = None
    keyed_examples: Mapping[str, str] = field(default_factory=dict)
    of_site: bool = True
    is_cors: bool = False
    has_preflight: bool = False
    query: Struct = NoQuery
    path_params: Struct | None = None
    body: RequestBody | None = None
    responses: Mapping[int, ResponseSpec]
    problems: tuple[type[Problem], ...] = ()
    request_headers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Adds the entity tag that every read of JSON with a key has (``web/responses.py``)."""
        found = self.responses.get(HTTPStatus.OK)
        if self.method != "GET" or self.scope is None or found is None or found.media_types != JSON_TYPES:
            return
        if HTTPStatus.NOT_MODIFIED not in self.responses:
            tagged = replace(found, headers=(*found.headers, *_ENTITY_TAG))
            same = ResponseSpec(text="Nothing has changed.", headers=tagged.headers)
            more = {int(HTTPStatus.OK): tagged, int(HTTPStatus.NOT_MODIFIED): same}
            object.__setattr__(self, "responses", {**self.responses, **more})
            object.__setattr__(self, "request_headers", (*self.request_headers, "If-None-Match"))

    @property
    def name(self) -> str:
        """The name of the call, unique among all."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """The call in one sentence."""
        return self._doc.partition("\n\n")[0].replace("\n", " ")

    @property
    def description(self) -> str:
        """What else there is to know, as Markdown."""
        return self._doc.partition("\n\n")[2]

    @property
    def _doc(self) -> str:
        return (inspect.getdoc(self.handler) or "").replace("``", "`")
