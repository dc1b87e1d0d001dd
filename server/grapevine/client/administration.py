"""The calls of the API about sites and API keys, described once, as those in ``groups``."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Literal

from grapevine.api_schemas.keys import KeyChanges, KeyList, KeyView, NewKeyRequest, NewKeyResponse
from grapevine.api_schemas.sites import (
    DeletionStarted,
    NewSiteRequest,
    NewSiteResponse,
    SiteChanges,
    SiteList,
    SiteView,
)
from grapevine.client.call import Call, Group, PagedList, Way, answer, call, no_answer, pages

Scope = Literal["read", "write", "admin"]
Sites = Sequence[str]


def once() -> dict[str, str]:
    """Returns the header by which the server recognises a repeat of a call that makes something."""
    return {"Idempotency-Key": secrets.token_hex(16)}


class SitesGroup(Group[Way]):
    """The sites that the API key reaches. All calls need the scope ``admin``."""

    @pages("GET", "/v1/sites")
    def list(self, *, page_size: int = 1_000) -> PagedList[SiteList, SiteView]:
        """Yields all sites that the key reaches, the oldest first. ``page_size`` is how many one request asks for."""
        return PagedList(
            at=lambda cursor: Call(
                read=answer(SiteList), query={"limit": page_size, "cursor": cursor}, is_for_server=True
            ),
            items=lambda page: page.sites,
            next=lambda page, _: page.next,
        )

    @call("POST", "/v1/sites")
    def create(self, name: str, origins: Sequence[str], *, contact: str | None = None) -> Call[NewSiteResponse]:
        """Adds a site. The ``key`` to administer it is shown this once. Needs a key that reaches every site."""
        body = NewSiteRequest(name=name, origins=[*origins], contact=contact)
        return Call(read=answer(NewSiteResponse), body=body, headers=once(), is_repeatable=True, is_for_server=True)

    @call("GET", "/v1/sites/{site}")
    def get(self, site: str) -> Call[SiteView]:
        """Returns one site, by its public key."""
        return Call(read=answer(SiteView), path={"site": site}, is_for_server=True)

    @call("PATCH", "/v1/sites/{site}")
    def change(
        self,
        site: str,
        *,
        name: str | None = None,
        origins: Sequence[str] | None = None,
        param: str | None = None,
        place: Literal["auto", "fragment", "query"] | None = None,
        fragment: Literal["auto", "identifier", "parameter"] | None = None,
        query: Sequence[str] | None = None,
        keep: Sequence[str] | None = None,
        element: str | None = None,
        values: Literal["all", "keys"] | None = None,
        contact: str | None = None,
        webmention: Literal["off", "on"] | None = None,
    ) -> Call[SiteView]:
        """Changes what is given of a site. ``origins`` are all of them anew, an empty ``contact`` is none."""
        body = SiteChanges(
            name=name,
            origins=None if origins is None else [*origins],
            param=param,
            place=place,
            fragment=fragment,
            query=None if query is None else [*query],
            keep=None if keep is None else [*keep],
            element=element,
            values=values,
            contact=contact,
            webmention=webmention,
        )
        return Call(read=answer(SiteView), path={"site": site}, body=body, is_repeatable=True, is_for_server=True)

    @call("DELETE", "/v1/sites/{site}")
    def delete(self, site: str, *, confirm: str) -> Call[DeletionStarted]:
        """Deletes a site with everything that was measured on it. ``confirm`` is its name. It cannot be undone."""
        return Call(read=answer(DeletionStarted), path={"site": site}, query={"confirm": confirm}, is_for_server=True)


class KeysGroup(Group[Way]):
    """API keys that reach no further than the one that asks. All calls need the scope ``admin``."""

    @pages("GET", "/v1/keys")
    def list(self, *, site: str | None = None, page_size: int = 500) -> PagedList[KeyList, KeyView]:
        """Yields all keys, the oldest first, revoked ones too; of a ``site`` those that were made for it."""
        return PagedList(
            at=lambda cursor: Call(
                read=answer(KeyList), query={"site": site, "limit": page_size, "cursor": cursor}, is_for_server=True
            ),
            items=lambda page: page.keys,
            next=lambda page, _: page.next,
        )

    @call("POST", "/v1/keys")
    def create(
        self, scope: Scope, *, name: str | None = None, sites: Sites | None = None, every_site: bool = False
    ) -> Call[NewKeyResponse]:
        """Makes an API key, for the ``sites`` with these public keys or for every site. The ``key`` is shown this once.

        A key for one site may leave ``sites`` out.
        """
        body = NewKeyRequest(scope=scope, name=name, sites=None if sites is None else [*sites], every_site=every_site)
        return Call(read=answer(NewKeyResponse), body=body, headers=once(), is_repeatable=True, is_for_server=True)

    @call("GET", "/v1/keys/{id}")
    def get(self, id: str) -> Call[KeyView]:  # noqa: A002 - its name in the API
        """Returns one key, by its id."""
        return Call(read=answer(KeyView), path={"id": id}, is_for_server=True)

    @call("PATCH", "/v1/keys/{id}")
    def change(
        self,
        id: str,  # noqa: A002 - its name in the API
        *,
        name: str | None = None,
        scope: Scope | None = None,
    ) -> Call[KeyView]:
        """Changes the name or the scope of a key."""
        body = KeyChanges(name=name, scope=scope)
        return Call(read=answer(KeyView), path={"id": id}, body=body, is_repeatable=True, is_for_server=True)

    @call("DELETE", "/v1/keys/{id}")
    def revoke(self, id: str) -> Call[None]:  # noqa: A002 - its name in the API
        """Takes a key out of force."""
        return Call(read=no_answer, path={"id": id}, is_for_server=True)
