"""The server's secret keys: which of them signs, how they are replaced, and what is encrypted under them."""
