"""Searches in the syntax trees of PostgreSQL's own parser (pglast)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pglast.ast
from pglast import enums, parse_sql

Tree = Any
ast: Any = pglast.ast  # its own types say of every part of every node that it may be missing


def statements(text: str) -> list[Any]:
    """Returns the syntax tree of each statement in a text."""
    return [raw.stmt for raw in parse_sql(text)]


def within(node: Any) -> Iterator[Tree]:
    """Yields the node and all nodes below it."""
    if isinstance(node, tuple | list):
        for part in node:
            yield from within(part)
    elif isinstance(node, ast.Node):
        yield node
        for slot in node:
            yield from within(getattr(node, slot))


def outermost(nodes: Any) -> Iterator[Tree]:
    """Yields the subqueries in expressions, without those inside of them."""
    if isinstance(nodes, tuple | list):
        for part in nodes:
            yield from outermost(part)
    elif isinstance(nodes, ast.SubLink):
        yield nodes
        yield from outermost(nodes.testexpr)
    elif isinstance(nodes, ast.Node):
        for slot in nodes:
            yield from outermost(getattr(nodes, slot))


def conjuncts(qual: Tree) -> Iterator[Tree]:
    """Yields the parts of a condition that AND joins."""
    if isinstance(qual, ast.BoolExpr) and qual.boolop == enums.BoolExprType.AND_EXPR:
        for part in qual.args:
            yield from conjuncts(part)
    elif qual is not None:
        yield qual


def refers(query: Tree, names: set[str]) -> bool:
    """Whether a subquery names columns of the query around it."""
    own = {alias(node) for node in within(query) if isinstance(node, ast.RangeVar)}
    used = {node.fields[0].sval for node in within(query) if isinstance(node, ast.ColumnRef) and len(node.fields) > 1}
    return bool(used & (names - own))


def reads(query: Tree, name: str) -> bool:
    """Whether a query names a table anywhere."""
    return any(isinstance(node, ast.RangeVar) and node.relname == name for node in within(query))


def aggregates(query: Tree) -> bool:
    """Whether the target list of a query, without its subqueries, calls a function other than a window function."""
    inside = {id(node) for link in outermost(query.targetList) for node in within(link)}
    return any(
        isinstance(node, ast.FuncCall) and node.over is None and id(node) not in inside
        for node in within(query.targetList)
    )


def group_by_term(part: Tree, query: Tree) -> Tree:
    """Returns the expression that a GROUP BY names, which may be the number of a column."""
    if isinstance(part, ast.A_Const) and isinstance(part.val, ast.Integer):
        return query.targetList[part.val.ival - 1].val
    return part


def alias(node: Tree) -> str:
    """Returns the name under which a FROM item is known."""
    return str(node.alias.aliasname if node.alias else node.relname)


def last_name(node: Any) -> str:
    """Returns the column or operator that an expression names, without what qualifies it; empty for anything else."""
    match node:
        case ast.ColumnRef() if isinstance(node.fields[-1], ast.String):
            return str(node.fields[-1].sval)
        case ast.A_Expr():
            return str(node.name[-1].sval)
        case ast.TypeCast():
            return last_name(node.arg)
    return ""
