"""The widget and the whole product in a real browser."""
