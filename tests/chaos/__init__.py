"""Faults, each a real one: processes that are killed, disks that are full, clocks that jump.

``server`` starts ``grapevine serve`` as a process of its own on a SQLite file or a PostgreSQL database and ends it in
every way there is; ``load`` calls it over raw sockets as widgets do and remembers what was acknowledged and what is
still owed an answer; ``audit`` opens the database afterwards: everything acknowledged is there, nothing twice, and all
counts are what the rows say. ``disks`` spoils and mends the disk under a running server, ``launch`` runs the server
with a clock and patience that a test sets. No test asserts a time, but for how soon a server says that it is not ready;
``PATIENCE_SECONDS`` only ends what hangs.
"""
