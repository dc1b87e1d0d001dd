"""Faults, each a real one: processes that are killed, disks that are full, clocks that jump.

``chaos_server`` starts ``grapevine serve`` as a process on a SQLite file or a PostgreSQL database and
ends it in every way there is; ``widget_load`` calls it over raw sockets as widgets do, and remembers what was
acknowledged and what still has to be; ``audit`` opens the database afterwards: everything acknowledged is there,
nothing twice, and all counts are what the rows say. ``broken_disks`` spoils and mends the disk under a running server,
``serve_with_clock`` runs the server with a clock and timeouts that a test sets. No test asserts a time, but for how
soon a server says that it is not ready; ``PATIENCE_SECONDS`` only ends what hangs.
"""
