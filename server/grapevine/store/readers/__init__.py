"""The store's reads, one file a reader."""
