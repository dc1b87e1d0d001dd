"""The simulator: plays visitors whose every step is known, and compares the server's numbers with the truth.

``world`` knows everything that happens and does no I/O; ``player`` turns it into HTTP; ``truth`` is the file between
them and ``check``, which asks the server what it concluded. ``expect`` says what a server ought to conclude.
"""
