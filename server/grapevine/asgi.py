"""``Unfurls`` for ASGI apps (Starlette, FastAPI, Django): reports preview robots and assistants (docs/links.md)."""

from grapevine.unfurl_reports.middlewares import AsgiUnfurls as Unfurls

__all__ = ["Unfurls"]
