"""Simulated worlds whose truth is known, and the accuracy of the estimates in them."""
