"""Machinery for background work: tasks, periodic jobs, leases, cleanup. The jobs themselves live with their owners."""
