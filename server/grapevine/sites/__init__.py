"""The sites of this server: cache for the request path, management, API keys, the snippet to paste."""
