"""What handlers work with: one object, made when the application starts, found through the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from grapevine.collect.api import CallSpec, CollectApi
from grapevine.config.settings import Settings
from grapevine.domain.periods import Clock
from grapevine.sites.cache import SiteCache
from grapevine.store.base import Store
from grapevine.web.counts_cache import Counted
from grapevine.web.proxies import Proxies
from grapevine.web.public.widget_files import WidgetFiles
from grapevine.web.redirect_cache import Followed
from grapevine.writer.writer import Writer


@dataclass(frozen=True)
class Services:
    """The running parts of the server.

    ``collect_calls`` are the collect calls by their whole path, ``link_paths`` what may stand before the token of a
    short link; ``secret`` signs the dashboard's cookies.
    """

    settings: Settings
    store: Store
    sites: SiteCache
    writer: Writer
    collect_api: CollectApi
    collect_calls: Mapping[bytes, CallSpec]
    link_paths: frozenset[bytes]
    followed: Followed
    counted: Counted
    widget: WidgetFiles
    proxies: Proxies
    clock: Clock
    secret: bytes


def services(request: Request) -> Services:
    """The services of the application that answers this request."""
    found: Services = request.app.state.services
    return found
