"""Every URL on one page."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount, Route

from grapevine.web import (
    about,
    collect,
    conversions,
    counts,
    dashboard,
    direct_api,
    export_api,
    health,
    read_api,
    short,
    spikes_api,
    webhooks_api,
    widget,
)


def routes(prefix: str) -> list[BaseRoute]:
    """All routes; those that a page calls stand below ``prefix`` (a path without a trailing slash, or nothing)."""
    public: list[BaseRoute] = [
        Route("/v1/conversions", conversions.conversions, methods=["POST", "OPTIONS"]),
        *(Route(path, collect.endpoint(call), methods=["POST", "OPTIONS"]) for path, call in collect.PATHS.items()),
        Route("/v1/counts", counts.counts),
        Route("/widget{rest}", widget.widget_file),
    ]
    links: list[BaseRoute] = [
        Route("/s/{token}", short.follow),
        Route("/s/{token}/qr.svg", short.qr_code),
        Route("/about/{token}", about.about),
    ]
    api: list[BaseRoute] = [
        Route("/v1/tokens/resolve", read_api.resolve_tokens, methods=["POST"]),
        Route("/v1/tokens/{token}", read_api.token),
        Route("/v1/stats/summary", read_api.summary),
        Route("/v1/stats/series", read_api.series),
        Route("/v1/stats/breakdown", read_api.breakdown),
        Route("/v1/stats/direct", direct_api.direct_visits),
        Route("/v1/attribution", read_api.attribution),
        Route("/v1/conversions", conversions.with_key, methods=["POST"]),
        Route("/v1/export/{table}", export_api.export),
        Route("/v1/cascades", read_api.cascades),
        Route("/v1/cascades/{root}", read_api.cascade),
        Route("/v1/spikes", spikes_api.spikes),
        Route("/v1/webhooks", webhooks_api.webhooks, methods=["GET", "POST"]),
        Route("/v1/webhooks/{id}", webhooks_api.webhook, methods=["GET", "PATCH", "DELETE"]),
        Route("/v1/webhooks/{id}/deliveries", webhooks_api.deliveries),
        Route("/v1/webhooks/{id}/deliveries/{delivery}/retry", webhooks_api.retry, methods=["POST"]),
    ]
    own: list[BaseRoute] = [
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
    ]
    # Short links stand below the prefix too: the widget knows its endpoint alone; at the root old links stay good.
    below = [Mount(prefix, routes=[*public, *links])] if prefix else public
    return [*below, *links, *api, *own, *dashboard.routes]
