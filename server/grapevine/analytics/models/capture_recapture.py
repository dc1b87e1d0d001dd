"""Capture–recapture: estimates a total from two independent samples (Chapman 1951)."""

from __future__ import annotations


def chapman_estimate(first: int, second: int, both: int) -> int | None:
    """Returns the estimated total, given how many were seen the first way, the second way and both ways.

    None where nothing was seen both ways: two samples without an overlap say nothing about the total.
    """
    if not both:
        return None
    return round((first + 1) * (second + 1) / (both + 1)) - 1
