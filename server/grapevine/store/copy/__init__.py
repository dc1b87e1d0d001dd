"""A whole store moved into another database, of the same kind or another: copied, then compared row by row.

``schema`` says what is moved, ``file`` and ``database`` are the two kinds of ends, ``values`` refuses what does not
belong into a column, ``remembered`` is how far a copy has come, ``compare`` finds what differs, ``moving`` does it all.

What makes the result whole: while a copy runs, nobody writes to its source. A SQLite file is taken for the copy alone,
and the tables of a PostgreSQL database are locked against writing. An interrupted copy goes on behind the last row that
was committed, and what may have changed in the source meanwhile is found by the comparison, which always reads every
row of both sides. Nothing is mended quietly then: rows that stand in the target alone may be a server's that was
started on it too early, and nothing tells those from rows deleted at the source. So the copy says what differs, and is
begun anew when it is told to.
"""
