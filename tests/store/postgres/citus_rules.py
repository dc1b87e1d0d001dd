"""Finds SQL that Citus cannot run, from the text alone, with PostgreSQL's own parser (pglast).

The rules are those that Citus's planner raises (src/backend/distributed/planner: multi_router_planner.c,
query_pushdown_planning.c, insert_select_planner.c, recursive_planning.c) and its documentation names, a little stricter
where that is simpler to tell: `cell` is the distribution column of every event table.

Columns and parameters that a statement sets equal are put into one class. Event tables that are read together must have
their cells in one class; a class with a parameter or constant in it is one shard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Final, NamedTuple

from pglast import enums

from tests.store.postgres.syntax_tree import (
    Tree,
    aggregates,
    alias,
    ast,
    conjuncts,
    group_by_term,
    last_name,
    outermost,
    reads,
    refers,
    statements,
    within,
)

IMMUTABLE: Final = frozenset({"count", "sum", "max", "min", "unnest", "row_number", "length", "substr"})
"""Functions that queries may call: what is not here might be volatile, or not the same on every node."""

Token = str


class Verdict(NamedTuple):
    """What is wrong with a statement; and what Citus does by carrying rows to the coordinator, which is slow, not
    wrong."""

    broken: list[str]
    pulled: list[str]


class FromItem(NamedTuple):
    """What stands in a FROM: its columns, each with what it is equal to; ``cell`` is its class of cells where it reads
    event tables, and None where it reads none or its result has no cell."""

    columns: Mapping[str, Token]
    events: bool
    cell: Token | None
    function: bool = False


class Scope(NamedTuple):
    """The names that one SELECT, UPDATE or DELETE can use, and those of what it stands in."""

    items: dict[str, FromItem]
    ctes: Mapping[str, FromItem]
    outer: Scope | None


def judge(text: str, tables: Mapping[str, frozenset[str]]) -> Verdict:
    """The verdict on one statement; ``tables`` are the schema's columns by table."""
    judge_ = StatementRules(tables)
    for statement in statements(text):
        judge_.statement(statement)
    return Verdict(judge_.broken, judge_.pulled)


class StatementRules:
    """Collects the problems of one statement."""

    def __init__(self, tables: Mapping[str, frozenset[str]]) -> None:
        self._tables = tables
        self._events = {name for name, columns in tables.items() if "cell" in columns}
        self._same: dict[Token, Token] = {}
        self._scopes = count()
        self._read: list[Token] = []  # the cells of all event tables that were met
        self._recursive: list[Token] = []
        self.broken: list[str] = []
        self.pulled: list[str] = []

    def statement(self, statement: Tree) -> None:
        self.broken += faults(statement)
        for node in within(statement):
            if isinstance(node, ast.SelectStmt) and any(
                isinstance(part, ast.SubLink) for value in node.valuesLists or () for part in within(value)
            ):
                self.broken.append("a subquery inside VALUES")
        match statement:
            case ast.SelectStmt():
                self._select(statement, Scope({}, {}, None))
            case ast.InsertStmt():
                self._insert(statement)
            case ast.UpdateStmt() | ast.DeleteStmt():
                self._change(statement)
            case _:
                self.broken.append(f"{type(statement).__name__} is no query")
        if self._recursive and any(self._class(cell) != self._class(self._recursive[0]) for cell in self._read):
            self.broken.append("a statement with recursion reads more than one cell")

    # Classes of what is equal ----------------------------------------------------------------------------------------

    def _class(self, token: Token) -> Token:
        while token in self._same:
            token = self._same[token]
        return token

    def _equal(self, one: Token, other: Token) -> None:
        one, other = self._class(one), self._class(other)
        if one != other:  # what is fixed stays the name of its class
            low, high = (one, other) if _is_fixed(other) else (other, one)
            self._same[low] = high

    def _fixed(self, token: Token | None) -> bool:
        return token is not None and _is_fixed(self._class(token))

    # Statements -------------------------------------------------------------------------------------------------------

    def _insert(self, statement: Tree) -> None:
        name = statement.relation.relname
        columns = [column.name for column in statement.cols or ()]
        ctes = self._ctes(statement.withClause, Scope({}, {}, None))
        select = statement.selectStmt
        source = self._select(select, Scope({}, ctes, None)) if select and not select.valuesLists else None
        if name not in self._events:
            if source and source.events:
                self.broken.append(f"{name} is on every node and is filled from event tables")
            return
        if "cell" not in columns:
            self.broken.append(f"{name} is filled without its cell")
        elif source:
            taken = list(source.columns.items())[columns.index("cell")]
            if taken[0] != "cell" or (source.events and self._class(taken[1]) != self._class(source.cell or "")):
                self.broken.append(f"{name} gets a cell that is not the rows' own")
        conflict = statement.onConflictClause
        if conflict:
            target = {part.name for part in (conflict.infer.indexElems or ()) if part.name} if conflict.infer else set()
            if "cell" not in target:
                self.broken.append(f"a conflict target of {name} without cell")
            self._sets(name, conflict.targetList or ())

    def _change(self, statement: Tree) -> None:
        name = statement.relation.relname
        scope = Scope({}, self._ctes(statement.withClause, Scope({}, {}, None)), None)
        joined = statement.fromClause if isinstance(statement, ast.UpdateStmt) else statement.usingClause
        quals = [*self._from((statement.relation, *(joined or ())), scope), statement.whereClause]
        target = scope.items[alias(statement.relation)]
        self._compare(quals, scope)
        self._subqueries([statement.whereClause, *(getattr(statement, "targetList", None) or ())], scope, target.cell)
        if name not in self._events:
            if any(item.events for item in scope.items.values()):
                self.broken.append(f"{name} is on every node and is changed from event tables")
            return
        if isinstance(statement, ast.UpdateStmt):
            self._sets(name, statement.targetList)
        self._together(scope)

    def _sets(self, name: str, targets: Iterable[Tree]) -> None:
        if name in self._events and any(target.name == "cell" for target in targets):
            self.broken.append(f"{name} has its cell changed")

    def _ctes(self, clause: Tree, scope: Scope) -> Mapping[str, FromItem]:
        known = dict(scope.ctes)
        for cte in clause.ctes if clause else ():
            query = cte.ctequery
            if not isinstance(query, ast.SelectStmt):
                self.broken.append(f"WITH {cte.ctename} changes rows")
                continue
            names = [column.sval for column in cte.aliascolnames or ()]
            if clause.recursive and query.op != enums.SetOperation.SETOP_NONE and reads(query.rarg, cte.ctename):
                known[cte.ctename] = self._recursion(cte.ctename, names, query, Scope({}, known, scope.outer))
            else:
                known[cte.ctename] = _renamed(self._select(query, Scope({}, known, scope.outer)), names)
        return known

    def _recursion(self, name: str, names: list[str], query: Tree, scope: Scope) -> FromItem:
        before = len(self._read)
        first = _renamed(self._select(query.larg, scope), names)
        begun = first._replace(columns={column: f"{name}.{column}" for column in first.columns})
        self._select(query.rarg, Scope({}, {**scope.ctes, name: begun}, scope.outer))
        for cell in self._read[before:]:
            site = f"{cell.removesuffix('.cell')}.site_id"
            if not self._fixed(cell) or not self._fixed(site) or self._class(cell) != self._class(self._read[before]):
                self.broken.append("recursion without cell and site_id fixed in both terms")
                break
        self._recursive.append(self._read[before] if len(self._read) > before else "nothing")
        return begun

    def _select(self, query: Tree, scope: Scope) -> FromItem:
        scope = Scope({}, self._ctes(query.withClause, scope), scope.outer)
        if query.op != enums.SetOperation.SETOP_NONE:
            return self._either(self._select(query.larg, scope), self._select(query.rarg, scope))
        quals = [*self._from(query.fromClause or (), scope), query.whereClause]
        self._compare(quals, scope)
        cell = self._together(scope)
        events = any(item.events for item in scope.items.values())
        targets = query.targetList or ()
        self._subqueries([*targets, *quals, query.havingClause, *(query.groupClause or ())], scope, cell)
        if query.lockingClause and events and not self._fixed(cell):
            self.broken.append("rows are locked on several shards")
        if events and not self._fixed(cell):
            self._merged(query, scope, cell)
        columns: dict[str, Token] = {}
        for index, target in enumerate(targets):
            if _is_star(target.val):
                columns |= self._every_column(scope)
                continue
            name = target.name or last_name(target.val)
            unique = name if name and name not in columns else f"?{index}"
            columns[unique] = self._token(target.val, scope) or f"?{next(self._scopes)}"
        kept = {self._class(token) for token in columns.values()}
        if query.groupClause and cell and not self._fixed(cell):
            kept &= {self._class(self._token(group_by_term(part, query), scope) or "") for part in query.groupClause}
        elif aggregates(query) and not self._fixed(cell):
            kept = set()
        whole = cell if cell and (self._fixed(cell) or self._class(cell) in kept) else None
        return FromItem(columns, events, whole)

    def _every_column(self, scope: Scope) -> dict[str, Token]:
        """The columns of ``SELECT *``, which reads rows alone: a table's are in the order of its migrations."""
        if any(not item.function for item in scope.items.values()):
            self.broken.append("SELECT * of a table")
        return {column: token for item in scope.items.values() for column, token in item.columns.items()}

    def _either(self, one: FromItem, other: FromItem) -> FromItem:
        """The result of a UNION: it has a cell when both sides have the same fixed one."""
        fixed = self._fixed(one.cell) and self._fixed(other.cell)
        same = one.cell if fixed and self._class(one.cell or "") == self._class(other.cell or "") else None
        events = one.events or other.events
        if events and not same:
            self.pulled.append("a UNION over several shards")
        columns = {name: f"?{next(self._scopes)}" for name in one.columns}
        return FromItem(columns, events, same if one.events and other.events else None)

    # FROM -------------------------------------------------------------------------------------------------------------

    def _from(self, parts: Iterable[Tree], scope: Scope) -> list[Tree]:
        """Adds the items of a FROM by name; returns the conditions of its joins."""
        number, quals, todo = next(self._scopes), [], list(parts)
        while todo:
            match part := todo.pop():
                case ast.JoinExpr():
                    todo += [part.rarg, part.larg]
                    quals.append(part.quals)
                    if part.isNatural or part.usingClause:
                        self.broken.append("a join that is not written with ON")
                case ast.RangeVar():
                    scope.items[alias(part)] = self._named(part, scope, f"{number}.{alias(part)}")
                case ast.RangeSubselect():
                    around = scope if part.lateral else scope.outer
                    scope.items[part.alias.aliasname] = self._select(part.subquery, Scope({}, scope.ctes, around))
                case ast.RangeFunction():
                    name = part.alias.aliasname
                    columns = {each.sval: f"{number}.{name}.{each.sval}" for each in part.alias.colnames or ()}
                    scope.items[name] = FromItem(columns, events=False, cell=None, function=True)
                case _:
                    self.broken.append(f"{type(part).__name__} in a FROM")
        return quals

    def _named(self, part: Tree, scope: Scope, prefix: str) -> FromItem:
        if part.relname in scope.ctes:
            return scope.ctes[part.relname]
        if part.relname not in self._tables:
            self.broken.append(f"{part.relname} is no table of the schema")
        columns = {column: f"{prefix}.{column}" for column in self._tables.get(part.relname, ())}
        if part.relname in self._events:
            self._read.append(columns["cell"])
            return FromItem(columns, events=True, cell=columns["cell"])
        return FromItem(columns, events=False, cell=None)

    def _together(self, scope: Scope) -> Token | None:
        """Checks that joined tables have one class of cells, and returns it."""
        items = scope.items.values()
        cells = [item.cell for item in items if item.cell]
        if len({self._class(cell) for cell in cells}) > 1:
            self.broken.append(f"{' and '.join(scope.items)} are not joined on cell")
        for item in items:
            if item.events and not item.cell:
                self.pulled.append("an answer without cell is read again")
            if item.function and cells and not self._fixed(cells[0]):
                here = {self._class(token) for token in item.columns.values()}
                if self._class(cells[0]) not in here:
                    self.broken.append(f"rows are not joined on cell with {' and '.join(scope.items)}")
        return cells[0] if cells else None

    def _merged(self, query: Tree, scope: Scope, cell: Token | None) -> None:
        """Records the parts of a query over several shards that the coordinator has to run."""
        for node in within(query.targetList):
            if isinstance(node, ast.FuncCall) and node.over is not None:
                parts = {self._class(self._token(part, scope) or "") for part in node.over.partitionClause or ()}
                if cell is None or self._class(cell) not in parts:
                    self.pulled.append("a window that is not partitioned by cell")
            if isinstance(node, ast.FuncCall) and node.agg_distinct:
                self.pulled.append("distinct values are counted over several shards")

    # Expressions ------------------------------------------------------------------------------------------------------

    def _compare(self, quals: Iterable[Tree], scope: Scope) -> None:
        for qual in quals:
            for part in conjuncts(qual):
                if isinstance(part, ast.A_Expr) and part.kind == enums.A_Expr_Kind.AEXPR_OP and last_name(part) == "=":
                    left, right = self._token(part.lexpr, scope), self._token(part.rexpr, scope)
                    if left and right:
                        self._equal(left, right)

    def _subqueries(self, nodes: Iterable[Any], scope: Scope, cell: Token | None) -> None:
        for node in outermost(nodes):
            before = len(self._read)
            found = self._select(node.subselect, Scope({}, scope.ctes, scope))
            if not found.events and len(self._read) == before:
                continue
            inner = {self._class(each) for each in self._read[before:]}
            if cell and inner == {self._class(cell)}:
                continue
            if refers(node.subselect, set(scope.items)):
                self.broken.append("a subquery refers to what is around it, but not by cell")
            else:
                self.pulled.append("a subquery is asked by itself first")

    def _token(self, node: Tree, scope: Scope | None) -> Token | None:
        match node:
            case ast.TypeCast():
                return self._token(node.arg, scope)
            case ast.ParamRef():
                return f"${node.number}"
            case ast.A_Const():
                return f"={getattr(node.val, 'ival', getattr(node.val, 'sval', None))}"
            case ast.ColumnRef() if isinstance(node.fields[-1], ast.String):
                names = [field.sval for field in node.fields]
                while scope:
                    for name, item in scope.items.items():
                        if names[-1] in item.columns and (len(names) == 1 or names[0] == name):
                            return item.columns[names[-1]]
                    scope = scope.outer
        return None


def faults(statement: Any) -> list[str]:
    """Returns the constructs that are wrong anywhere in a statement."""
    broken = []
    for node in within(statement):
        match node:
            case ast.FuncCall() if node.funcname[-1].sval not in IMMUTABLE:
                broken.append(f"{node.funcname[-1].sval}() is not known to be the same on every node")
            case ast.SQLValueFunction():
                broken.append("the server's own time or user")
    return broken


def _renamed(source: FromItem, names: list[str]) -> FromItem:
    return source._replace(columns=dict(zip(names, source.columns.values(), strict=True))) if names else source


def _is_star(value: Tree) -> bool:
    return isinstance(value, ast.ColumnRef) and isinstance(value.fields[-1], ast.A_Star)


def _is_fixed(token: Token) -> bool:
    return token[0] in "$="
