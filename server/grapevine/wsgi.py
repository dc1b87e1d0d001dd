"""``Unfurls`` for WSGI apps (Django, Flask): reports preview robots and assistants on tagged pages (docs/links.md)."""

from grapevine.unfurl_reports.middlewares import WsgiUnfurls as Unfurls

__all__ = ["Unfurls"]
