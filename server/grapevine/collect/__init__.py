"""From a request to an event, or to a drop with its reason: decode, check, classify. Knows neither HTTP nor SQL."""
