"""The live feed: what is stored of a site, sent to those who watch as soon as it is committed (docs/live.md)."""
