"""``make screenshots``: draws the pictures of the documentation from a demo whose seed and clock are fixed."""
