"""Faults, each a real one: processes that are killed, disks that are full, clocks that jump.

``server`` starts ``grapevine serve`` as a process of its own on a database file and ends it in every way there is;
``load`` calls it over raw sockets as widgets do and remembers what was acknowledged and what is still owed an answer;
``audit`` opens the file afterwards: everything acknowledged is there, nothing twice, and all counts are what the rows
say. ``disks`` spoils and mends the disk under a running server, ``launch`` runs the server with a clock and patience
that a test sets. No test asserts a time; ``PATIENCE_SECONDS`` only ends what hangs.
"""
