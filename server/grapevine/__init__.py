"""Grapevine: word of mouth on a site's own server, as share → visit → share → visit chains."""

__version__ = "0.1.0"
