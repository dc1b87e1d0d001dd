"""What a call is, apart from how it is made: its description, and the methods that both clients make of it.

A function that is decorated with ``call``, ``pages`` or ``stream`` only describes a call. As a method of ``Client`` it
makes the call and returns the result; as a method of ``AsyncClient`` it returns a coroutine, or an asynchronous
iterator. Type checkers see both, with the parameters of the function.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Mapping
from datetime import date
from functools import wraps
from typing import Any, Concatenate, Final, Generic, ParamSpec, Protocol, TypeVar, overload
from urllib.parse import quote

import msgspec

from grapevine.client.live import ServerSentEvent

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Item = TypeVar("Item")
Page = TypeVar("Page")
Way = TypeVar("Way")

ALWAYS_REPEATABLE: Final = frozenset({"GET", "HEAD", "DELETE"})
"""Methods that may be repeated (RFC 9110, 9.2.2); our only ``PUT`` and ``PATCH`` are not known to be."""

QueryValue = str | int | date | None


class Blocking:
    """Marks calls that block until the result is there."""


class Awaited:
    """Marks calls that are awaited."""


class Call(msgspec.Struct, Generic[Result], frozen=True, kw_only=True):
    """One call with its arguments. ``read`` makes the result out of the body of a successful answer.

    ``path`` are the values of the path's parameters, ``query`` those of the query, without those that are None. A call
    that changes something ``is_repeatable`` if sending it twice changes no more than sending it once. The site is added
    to the query unless the call ``is_for_server``. ``least_timeout`` is how many seconds the client waits at least.
    """

    read: Callable[[bytes], Result]
    path: Mapping[str, str] = {}
    query: Mapping[str, QueryValue] = {}
    body: msgspec.Struct | None = None
    headers: Mapping[str, str] = {}
    is_repeatable: bool = False
    is_for_server: bool = False
    least_timeout: float = 0.0


class PagedList(msgspec.Struct, Generic[Page, Item], frozen=True, kw_only=True):
    """A list that comes in pages. ``at`` describes the call for the page at a cursor (None: the first page).

    ``next`` returns the cursor of the page behind a page, None behind the last one; it also gets the target of the
    answer's ``Link`` header with ``rel=next``, if there is one.
    """

    at: Callable[[str | None], Call[Page]]
    items: Callable[[Page], list[Item]]
    next: Callable[[Page, str | None], str | None]


class Stream(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """An answer that is read while it comes. ``call`` describes it, ``items`` makes items out of its pieces."""

    call: Call[None]
    items: Callable[[AsyncIterator[bytes]], AsyncIterator[Item]]


class Feed(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """A stream of server-sent events that does not end. ``at`` describes the call that goes on behind an event (None:
    from now on), ``read`` makes an item of an event, or None of one that is not handed out."""

    at: Callable[[str | None], Call[None]]
    after: str | None
    read: Callable[[ServerSentEvent], Item | None]


Listed = PagedList[Any, Any] | Stream[Any] | Feed[Any]


class Caller(Protocol):
    """How the calls of one client are made: blocking or awaited."""

    def result(self, operation: Operated, call: Call[Any]) -> Any:
        """Returns the result of a call, or a coroutine that does."""
        ...

    def items(self, operation: Operated, listed: Listed) -> Any:
        """Returns an iterator, or an asynchronous one."""
        ...


class Group(Generic[Way]):
    """Some calls of a client, as ``client.tokens``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller


class Operated:
    """The operation of the API that a method calls."""

    def __init__(self, describe: Callable[..., Any], method: str, path: str) -> None:
        self.describe = describe
        self.method = method
        self.path = path
        self.__doc__ = describe.__doc__

    @property
    def name(self) -> str:
        """Its name in error messages, as in the API's documentation."""
        return f"{self.method} {self.path}"


class CallMethod(Operated, Generic[Parameters, Result]):
    """A method that makes one call."""

    @overload
    def __get__(self, group: None, owner: type | None = None) -> CallMethod[Parameters, Result]: ...
    @overload
    def __get__(self, group: Group[Blocking], owner: type | None = None) -> Callable[Parameters, Result]: ...
    @overload
    def __get__(
        self, group: Group[Awaited], owner: type | None = None
    ) -> Callable[Parameters, Coroutine[Any, Any, Result]]: ...
    def __get__(self, group: Group[Any] | None, owner: type | None = None) -> Any:
        if group is None:
            return self
        caller = group._caller  # noqa: SLF001 - a method of the group

        @wraps(self.describe)
        def method(*args: Any, **kwargs: Any) -> Any:
            return caller.result(self, self.describe(group, *args, **kwargs))

        return method


class ItemsMethod(Operated, Generic[Parameters, Item]):
    """A method that yields items."""

    @overload
    def __get__(self, group: None, owner: type | None = None) -> ItemsMethod[Parameters, Item]: ...
    @overload
    def __get__(
        self, group: Group[Blocking], owner: type | None = None
    ) -> Callable[Parameters, Generator[Item, None, None]]: ...
    @overload
    def __get__(
        self, group: Group[Awaited], owner: type | None = None
    ) -> Callable[Parameters, AsyncGenerator[Item, None]]: ...
    def __get__(self, group: Group[Any] | None, owner: type | None = None) -> Any:
        if group is None:
            return self
        caller = group._caller  # noqa: SLF001 - a method of the group

        @wraps(self.describe)
        def method(*args: Any, **kwargs: Any) -> Any:
            return caller.items(self, self.describe(group, *args, **kwargs))

        return method


def call(
    method: str, path: str
) -> Callable[[Callable[Concatenate[Any, Parameters], Call[Result]]], CallMethod[Parameters, Result]]:
    """Makes a method out of a function that describes one call."""
    return lambda describe: CallMethod(describe, method, path)


def pages(
    method: str, path: str
) -> Callable[[Callable[Concatenate[Any, Parameters], PagedList[Any, Item]]], ItemsMethod[Parameters, Item]]:
    """Makes a method out of a function that describes a list in pages."""
    return lambda describe: ItemsMethod(describe, method, path)


def stream(
    method: str, path: str
) -> Callable[[Callable[Concatenate[Any, Parameters], Stream[Item] | Feed[Item]]], ItemsMethod[Parameters, Item]]:
    """Makes a method out of a function that describes a streamed answer, or a feed."""
    return lambda describe: ItemsMethod(describe, method, path)


def answer(kind: type[Result]) -> Callable[[bytes], Result]:
    """Returns the reader of an answer of that type; it raises msgspec.DecodeError for any other answer."""
    return msgspec.json.Decoder(kind).decode


def no_answer(body: bytes) -> None:
    """Reads an answer without a body. Raises ValueError for one that has a body, which comes from somebody else."""
    if body:
        raise ValueError("it should be empty")


def target(operated: Operated, described: Call[Any]) -> str:
    """Returns the path of a call with its parameters. Raises ValueError where one of them is empty."""
    return operated.path.format(**{name: _segment(name, value) for name, value in described.path.items()})


def _segment(name: str, value: str) -> str:
    if not value:
        raise ValueError(f"{name} must not be empty")
    # A segment of dots alone would be taken for a way up the path.
    return value.replace(".", "%2E") if value.strip(".") == "" else quote(value, safe="")


def query_text(value: str | int | date) -> str:
    """Returns the value of a query parameter as the API reads it."""
    return value.isoformat() if isinstance(value, date) else str(value)
