"""The store in one SQLite file: ``store`` puts the parts together."""
