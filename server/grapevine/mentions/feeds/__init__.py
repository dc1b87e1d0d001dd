"""Feeds that an admin named: read, matched with the site's pages, polled."""
