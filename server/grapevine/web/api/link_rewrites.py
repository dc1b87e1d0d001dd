"""``POST /v1/links/rewrite``: tags the own links of a mail. Scope ``write``."""

from __future__ import annotations

import secrets
from typing import Final

import msgspec
from starlette.responses import Response

from grapevine.errors import Conflict, Invalid, TooLarge
from grapevine.links.mail.mail_links import page_of_mail, url_rule
from grapevine.links.mail.schemas import MOST_BYTES, MailToTag, TaggedMail
from grapevine.links.mail.tagging import ReadMail, TooManyLinks, UrlRule
from grapevine.links.minting import made_before, mint
from grapevine.links.new_links import check_links
from grapevine.links.schemas import NewLink
from grapevine.store.repositories.links import LinkRow
from grapevine.web.api.call import SiteCall
from grapevine.web.api.once import HEADER, Keep, answered_once, identity_of
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec

MAX_BODY: Final = 2 * MOST_BYTES
"""JSON writes line ends and quotes of HTML as two characters each."""
_NONCE_BYTES: Final = 16


class _Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an answer: with the request it makes the same answer again."""

    at: int
    attempt: int
    rule: UrlRule


async def tag_mail(call: SiteCall, body: MailToTag) -> Response:
    """Puts the token of a new link into every link of an HTML mail that leads to the site, and changes nothing else.

    All links of the mail get one token: that of a link whose page is the one of the first of them. With that token
    `GET /v1/links/{token}` says what the mail brought, and how far it was passed on. Links that carry a token
    already, links in or with `data-grapevine-ignore` and links of other sites are left alone, and so are placeholders
    of mail programs, wherever they stand. A mail without links to tag is answered as it is, with `token` null, and no
    link is made. Send an `Idempotency-Key` to be able to repeat the call.
    """
    if len(body.html) > MOST_BYTES or len(body.html.encode()) > MOST_BYTES:
        raise TooLarge(f"The mail has more than {MOST_BYTES:,} bytes.")
    state, site, now = call.state, call.site, call.now
    identity = identity_of(call, body)
    nonce = secrets.token_hex(_NONCE_BYTES) if identity is None else f"{call.key.key_id} {identity.digest}"

    async def make(keep: Keep) -> TaggedMail:
        rule = url_rule(site, now)
        mail = await _read(call, body, rule)
        link = NewLink(
            url=page_of_mail(site, mail),
            channel=body.channel,
            label=body.label,
            external_id=body.external_id,
            campaign=body.campaign,
        )
        checked = await check_links(site, [link], now, is_list=False)
        if not mail.links:
            return TaggedMail(html=body.html, token=None, page=None, links=0, skipped=mail.skipped)
        await state.link_bound.take(site.site_id, 1)
        rows = await mint(
            state.store,
            state.nonces,
            site,
            checked,
            now,
            nonce,
            lambda attempt: keep(site.site_id, _Recipe(at=now, attempt=attempt, rule=rule)),
        )
        return _answer(call, mail, rows[0])

    async def remake(kept: str) -> TaggedMail:
        recipe = msgspec.json.decode(kept, type=_Recipe)
        (row,) = await made_before(state.store, state.nonces, site, 1, recipe.at, nonce, recipe.attempt)
        mail = await _read(call, body, recipe.rule)
        return _answer(call, mail, row)

    return await answered_once(call, body, 200, make, remake)


async def _read(call: SiteCall, body: MailToTag, rule: UrlRule) -> ReadMail:
    """Returns a mail with the links that are to be tagged. Raises Invalid, Busy."""
    try:
        return await call.state.mail_rewrites.read(body.html, rule)
    except TooManyLinks as error:
        raise Invalid.of("html", str(error)) from None


def _answer(call: SiteCall, mail: ReadMail, row: LinkRow) -> TaggedMail:
    token = call.site.tokens.mint_one(row.visit_id, row.channel)
    return TaggedMail(html=mail.tagged(token), token=token, page=row.url, links=mail.links, skipped=mail.skipped)


OPERATIONS: Final = [
    Operation(
        method="POST",
        path="/v1/links/rewrite",
        handler=tag_mail,
        tag="links",
        scope="write",
        body=RequestBody(MailToTag, MAX_BODY),
        responses={
            200: ResponseSpec(TaggedMail, "The mail."),
        },
        problems=(Conflict,),
        request_headers=(HEADER,),
    ),
]
