"""From request data to stored events: decode, check, classify, write. Knows neither HTTP nor SQL."""
