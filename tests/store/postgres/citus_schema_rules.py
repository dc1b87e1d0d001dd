"""Finds statements of a migration that Citus cannot run, and the tables that migrations make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pglast import enums

from tests.store.postgres.citus_rules import StatementRules, faults
from tests.store.postgres.syntax_tree import Tree, ast, statements

_SERIAL: Final = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})


def tables_of(migrations: Iterable[str]) -> dict[str, frozenset[str]]:
    """Every table of the schema with its columns."""
    return {
        statement.relation.relname: frozenset(
            column.colname for column in statement.tableElts if isinstance(column, ast.ColumnDef)
        )
        for text in migrations
        for statement in statements(text)
        if isinstance(statement, ast.CreateStmt)
    }


def judge_schema(text: str, tables: Mapping[str, frozenset[str]]) -> list[str]:
    """Returns the problems of a migration's statements."""
    broken: list[str] = []
    for statement in statements(text):
        match statement:
            case ast.CreateStmt():
                broken += _table(statement)
            case ast.IndexStmt():
                columns = {part.name for part in statement.indexParams}
                if statement.unique and "cell" in tables[statement.relation.relname] and "cell" not in columns:
                    broken.append(f"unique index {statement.idxname} without cell")
            case ast.AlterTableStmt():
                for command in statement.cmds:
                    if isinstance(command.def_, ast.ColumnDef):
                        broken += _column(statement.relation.relname, command.def_)
                    elif isinstance(command.def_, ast.Constraint):
                        broken.append(f"{statement.relation.relname}: a constraint added later")
            case ast.InsertStmt() | ast.UpdateStmt() | ast.DeleteStmt():
                judge_ = StatementRules(tables)
                judge_.statement(statement)
                broken += judge_.broken
            case ast.DropStmt():
                pass
            case _:
                broken.append(f"{type(statement).__name__} is nothing that is done to distributed tables")
    return broken


def _table(statement: Tree) -> list[str]:
    name, broken, keys = statement.relation.relname, [], []
    columns = [part for part in statement.tableElts if isinstance(part, ast.ColumnDef)]
    for column in columns:
        broken += _column(name, column)
        keys += [{column.colname} for each in column.constraints or () if each.contype in _UNIQUE]
    for part in statement.tableElts:
        if isinstance(part, ast.Constraint):
            if part.contype == enums.ConstrType.CONSTR_FOREIGN:
                broken.append(f"{name}: a foreign key")
            if part.contype in _UNIQUE:
                keys.append({key.sval for key in part.keys})
    if not keys:
        broken.append(f"{name}: no primary key")
    if "cell" in {column.colname for column in columns} and any("cell" not in key for key in keys):
        broken.append(f"{name}: a unique key without cell")
    return broken


_UNIQUE: Final = (enums.ConstrType.CONSTR_PRIMARY, enums.ConstrType.CONSTR_UNIQUE)


def _column(table: str, column: Tree) -> list[str]:
    broken = []
    where = f"{table}.{column.colname}"
    if column.typeName.names[-1].sval in _SERIAL:
        broken.append(f"{where}: a sequence")
    for constraint in column.constraints or ():
        if constraint.contype == enums.ConstrType.CONSTR_IDENTITY:
            broken.append(f"{where}: a sequence")
        if constraint.contype == enums.ConstrType.CONSTR_FOREIGN:
            broken.append(f"{where}: a foreign key")
        broken += [f"{where}: {fault}" for fault in faults(constraint)]
    return broken
