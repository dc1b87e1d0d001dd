"""What handlers work with: one object, made when the application starts, found through the request."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from grapevine.collect.intake import Intake
from grapevine.collect.writer import Writer
from grapevine.settings import Settings
from grapevine.sites import Clock, Sites
from grapevine.store.base import Store
from grapevine.web.proxies import Proxies
from grapevine.web.widget_files import WidgetFiles


@dataclass(frozen=True)
class Services:
    """The running parts of the server. ``secret`` signs the dashboard's cookies."""

    settings: Settings
    store: Store
    sites: Sites
    writer: Writer
    intake: Intake
    widget: WidgetFiles
    proxies: Proxies
    clock: Clock
    secret: bytes


def services(request: Request) -> Services:
    """The services of the application that answers this request."""
    found: Services = request.app.state.services
    return found
