"""Event → rows: the queue, group commit, and what one batch changes."""
