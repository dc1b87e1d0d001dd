"""Event → rows: the queue, group commit, and the changes of one batch."""
