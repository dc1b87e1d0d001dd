"""Copies a whole store into an empty database, of the same kind or another, and compares every row.

``copier`` does it, ``endpoint`` is what it needs of a database (which ``sqlite`` and ``postgres`` provide), ``schema``
lists the tables, ``validate`` refuses values that their column cannot hold, ``compare`` finds rows that differ.
"""
