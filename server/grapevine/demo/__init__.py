"""The demo: a small site on an origin of its own, and people who read and share it."""
