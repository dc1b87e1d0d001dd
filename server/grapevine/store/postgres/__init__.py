"""The store in PostgreSQL, also with Citus: ``store`` puts the parts together."""
