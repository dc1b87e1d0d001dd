"""Words and values of the product, without I/O: ids, tokens, channels, money, periods, URLs, events."""
