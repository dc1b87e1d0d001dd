"""Mentions of a site's pages elsewhere, openly reported: by webmentions, and by feeds that an admin named."""
