"""What is kept in the store, one file a table or two."""
