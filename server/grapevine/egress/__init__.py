"""Which addresses this server may send requests to, for webhooks and for checks of pages: no server-side request
forgery (SSRF)."""
