"""``GET /metrics``: what the server counts about itself, for Prometheus. The numbers are plain ones that its parts
keep; they are read here when somebody asks, and ``prometheus_client`` writes them."""
