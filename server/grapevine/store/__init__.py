"""The only folder that knows SQL: one protocol, its backends, and every query as named text in ``sql/``."""
