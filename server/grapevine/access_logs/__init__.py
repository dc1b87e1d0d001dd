"""Access logs of web servers: arrivals that no script of a page saw."""
