"""Checks one page as a visitor sees it: whether it will be counted, and what is in the way.

``fetch`` gets it, ``markup`` reads its HTML, ``examine`` runs all checks. Each check is one file of pure functions from
the page to findings; docs/doctor.md lists their codes.
"""
