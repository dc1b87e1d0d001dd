"""What is read from the store, one file a reader."""
