"""Referral programmes: which referrer is owed what for a conversion, what speaks against paying it, and pay-outs."""
