"""A world whose truth is known, played against a server, and the server held against it.

``world`` knows everything that happens and does no I/O; ``player`` turns it into HTTP; ``truth`` is the file between
them and ``check``, which asks the server what it concluded. ``expect`` says what a server ought to conclude.
"""
