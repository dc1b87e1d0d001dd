"""Answers to "how did you hear about us?": what they mean, and how that compares with what was measured."""
