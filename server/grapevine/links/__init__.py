"""Minted links: nodes of the tree that are no visits (docs/decisions/0070)."""
