"""The store's tables that change row by row, one file a table or two."""
