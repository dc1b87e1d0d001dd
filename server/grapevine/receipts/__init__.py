"""Receipts of conversions: what they say, how they are signed, issued, revoked and verified (docs/receipts.md)."""
