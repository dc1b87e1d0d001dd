"""Reports preview robots and assistants that fetch tagged pages of a publisher's own app (``asgi``, ``wsgi``)."""
