"""The minted link of a mail: one for the mail, or one for each of its recipients."""

from __future__ import annotations

from grapevine.domain import ids
from grapevine.domain.urls import UrlError
from grapevine.links.mail.tagging import ReadMail, UrlRule
from grapevine.sites.cache import Site


def url_rule(site: Site, now: int) -> UrlRule:
    """Returns what tells the own links of a site, and where a token goes in them now."""
    row = site.row
    return UrlRule(origins=site.origins, param=row.param, place=row.place, joint=row.joint(ids.day_at(now)))


def page_of_mail(site: Site, mail: ReadMail) -> str:
    """Returns the page of a mail's link: that of its first own one, as visits of it are stored, without what only
    tracks and without secrets such as a password reset's; else the home page of the site."""
    home = f"{site.row.origins[0]}/"
    try:
        return home if mail.page is None else site.page(mail.page).url
    except UrlError:
        return home
