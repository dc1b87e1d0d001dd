"""Processes and sockets: the server, its workers, the event loop, the fast path past ASGI."""
