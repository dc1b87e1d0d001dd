"""The body of a refusal: ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import msgspec


class FieldProblem(msgspec.Struct, frozen=True):
    """What is wrong with one field or parameter."""

    field: str
    """Its name; empty for the whole body."""
    detail: str
    """What is wrong with it, to be read behind its name."""


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a request was refused."""

    type: str
    """The kind of problem: the address of a page of this server that explains it, such as `/problems/invalid`."""
    title: str
    """The kind of problem, for people."""
    status: int
    """The status of the response."""
    detail: str
    """What is wrong with this request, and what to do."""
    code: str
    """The kind of problem, for programs."""
    errors: list[FieldProblem] = []
    """Fields that cannot be used; others may be found once these are right. For the code `invalid` alone."""
