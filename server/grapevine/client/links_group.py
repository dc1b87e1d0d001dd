"""The calls about minted links; see ``groups``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from grapevine.analytics.links import CampaignSummary
from grapevine.api_schemas.links import DeletedLinks, LinkList, LinkReport, ListedLink
from grapevine.client.administration import once
from grapevine.client.arguments import time_text
from grapevine.client.call import Call, Group, PagedList, Way, answer, call, no_answer, pages
from grapevine.links.mail.schemas import MailToTag, TaggedMail
from grapevine.links.schemas import MintedLink, MintedLinks, NewLink, NewLinks

Links = list[MintedLink]


class LinksGroup(Group[Way]):
    """Minted links: links that you hand out, and whose further shares can be followed."""

    @call("POST", "/v1/links")
    def create(
        self,
        url: str,
        *,
        channel: str = "link",
        label: str | None = None,
        external_id: str | int | None = None,
        campaign: str | None = None,
        word: str | None = None,
        places: Sequence[str] = (),
        expires_at: datetime | str | None = None,
        keep: bool = False,
    ) -> Call[MintedLink]:
        """Makes a link to the page ``url``; hand out the ``url`` of the result, or its ``short_url``.

        ``external_id`` is your own name of what it is for, ``places`` are up to seven names of where it will be.
        ``expires_at`` is a datetime with a time zone or a text such as ``2026-11-21T09:30:00Z``. Needs the scope
        ``write``, with a ``word`` the scope ``admin``.
        """
        body = NewLink(
            url=url,
            channel=channel,
            label=label,
            external_id=external_id,
            campaign=campaign,
            word=word,
            places=[*places],
            expires_at=time_text(expires_at) if isinstance(expires_at, datetime) else expires_at,
            keep=keep,
        )
        return Call(read=answer(MintedLink), body=body, headers=once(), is_repeatable=True)

    @call("POST", "/v1/links")
    def create_many(self, links: Sequence[NewLink]) -> Call[Links]:
        """Makes up to 1,000 links, all or none, and returns them in their order. Needs the scope ``write``."""
        body = NewLinks(links=[*links])
        return Call(read=lambda read: answer(MintedLinks)(read).links, body=body, headers=once(), is_repeatable=True)

    @call("POST", "/v1/links/rewrite")
    def rewrite(
        self,
        html: str,
        *,
        label: str | None = None,
        campaign: str | None = None,
        external_id: str | int | None = None,
        channel: str = "email",
    ) -> Call[TaggedMail]:
        """Puts the token of a new link into every link of an HTML mail that leads to the site; ``html`` of the result
        is the mail.

        No other character of it is changed. A mail without such links comes back as it is, with ``token`` None. Needs
        the scope ``write``.
        """
        body = MailToTag(html=html, label=label, campaign=campaign, external_id=external_id, channel=channel)
        return Call(read=answer(TaggedMail), body=body, headers=once(), is_repeatable=True)

    @pages("GET", "/v1/links")
    def list(
        self,
        *,
        external_id: str | None = None,
        label: str | None = None,
        campaign: str | None = None,
        page_size: int = 1_000,
    ) -> PagedList[LinkList, ListedLink]:
        """Yields the links that have all the names given, with what they brought, those of the newest day first."""
        query = {"external_id": external_id, "label": label, "campaign": campaign, "limit": page_size}
        return PagedList(
            at=lambda cursor: Call(read=answer(LinkList), query=query | {"cursor": cursor}),
            items=lambda page: page.links,
            next=lambda page, _: page.next,
        )

    @call("GET", "/v1/links/summary")
    def summary(self, campaign: str) -> Call[CampaignSummary]:
        """Returns what the links of a campaign brought together, and how far they were forwarded."""
        return Call(read=answer(CampaignSummary), query={"campaign": campaign})

    @call("GET", "/v1/links/{token}")
    def get(self, token: str) -> Call[LinkReport]:
        """Returns one link and what it brought."""
        return Call(read=answer(LinkReport), path={"token": token})

    @call("DELETE", "/v1/links/{token}")
    def delete(self, token: str) -> Call[None]:
        """Deletes one link. Needs the scope ``write``, for a link with a word the scope ``admin``."""
        return Call(read=no_answer, path={"token": token})

    @call("DELETE", "/v1/links")
    def delete_named(self, *, campaign: str | None = None, external_id: str | None = None) -> Call[DeletedLinks]:
        """Deletes up to 1,000 links of a campaign or with an external id: repeat it while ``more`` is true."""
        return Call(read=answer(DeletedLinks), query={"campaign": campaign, "external_id": external_id})
