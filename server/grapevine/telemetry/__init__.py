"""What the server counts about itself, as plain numbers: latencies, runs of jobs, bounds that were hit, and the rows in
which several processes share them. ``web/server_metrics`` shows all of it at ``/metrics``."""
