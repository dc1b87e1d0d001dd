"""Every URL on one page."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount, Route

from grapevine.web import dashboard, health
from grapevine.web.api import direct, exports, spikes, tokens, webhooks
from grapevine.web.public import about, collect, conversions, counts, short_links, widget


def routes(prefix: str) -> list[BaseRoute]:
    """All routes; those that a page calls stand below ``prefix`` (a path without a trailing slash, or nothing)."""
    public: list[BaseRoute] = [
        Route("/v1/conversions", conversions.conversions, methods=["POST", "OPTIONS"]),
        *(Route(path, collect.endpoint(call), methods=["POST", "OPTIONS"]) for path, call in collect.PATHS.items()),
        Route("/v1/counts", counts.counts),
        Route("/widget{rest}", widget.widget_file),
    ]
    links: list[BaseRoute] = [
        Route("/s/{token}", short_links.follow),
        Route("/s/{token}/qr.svg", short_links.qr_code),
        Route("/about/{token}", about.about),
    ]
    api: list[BaseRoute] = [
        Route("/v1/tokens/resolve", tokens.resolve_tokens, methods=["POST"]),
        Route("/v1/tokens/{token}", tokens.token),
        Route("/v1/stats/summary", tokens.summary),
        Route("/v1/stats/series", tokens.series),
        Route("/v1/stats/breakdown", tokens.breakdown),
        Route("/v1/stats/direct", direct.direct_visits),
        Route("/v1/attribution", tokens.attribution),
        Route("/v1/conversions", conversions.with_key, methods=["POST"]),
        Route("/v1/export/{table}", exports.export),
        Route("/v1/cascades", tokens.cascades),
        Route("/v1/cascades/{root}", tokens.cascade),
        Route("/v1/spikes", spikes.spikes),
        Route("/v1/webhooks", webhooks.webhooks, methods=["GET", "POST"]),
        Route("/v1/webhooks/{id}", webhooks.webhook, methods=["GET", "PATCH", "DELETE"]),
        Route("/v1/webhooks/{id}/deliveries", webhooks.deliveries),
        Route("/v1/webhooks/{id}/deliveries/{delivery}/retry", webhooks.retry, methods=["POST"]),
    ]
    own: list[BaseRoute] = [
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
    ]
    # Short links stand below the prefix too: the widget knows its endpoint alone; at the root old links stay good.
    below = [Mount(prefix, routes=[*public, *links])] if prefix else public
    return [*below, *links, *api, *own, *dashboard.routes]
