"""Filters in the Logging query language: would they match an entry?

What is read: comparisons, words, AND, OR, NOT, `-`, parentheses, `log_id(...)` and comments.

https://cloud.google.com/logging/docs/view/logging-query-language
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

Test = Callable[[Mapping[str, Any]], bool]

SEVERITIES = (
    "DEFAULT",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
)
ORDERS: Mapping[str, Callable[[int, int], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

TOKEN = re.compile(
    r"""\s+|--[^\n]*"""
    r"""|(?P<open>\()|(?P<close>\))"""
    r"""|(?P<operator>!=|=~|!~|>=|<=|[=:<>])"""
    r"""|(?P<minus>-(?=[\w"(]))"""
    r"""|(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<word>(?:[^\s()=:<>!~"',]|"(?:[^"\\]|\\.)*"(?=\.))(?:[^\s()=:<>!~"',]|(?<=\.)"(?:[^"\\]|\\.)*")*)"""
)


class _UnreadableError(Exception):
    """The filter uses what is not read here."""


def matches(text: str, entry: Mapping[str, Any]) -> bool | None:
    """Whether a filter would match a log entry; an empty one matches all. None if the filter cannot be read.

    Strings are compared without regard to case. A field that is missing makes its comparison false.
    """
    try:
        return _Reader(text).whole()(entry)
    except (_UnreadableError, re.error):
        return None


class _Reader:
    """Reads a filter from left to right. OR binds more closely than AND, as the language has it."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found or found.end() == at:
                raise _UnreadableError(text[at:])
            if found.lastgroup:
                self.tokens.append((found.lastgroup, found[0]))
            at = found.end()

    def whole(self) -> Test:
        if not self.tokens:
            return lambda _: True
        test = self.all_of()
        if self.tokens:
            raise _UnreadableError(self.tokens[0][1])
        return test

    def all_of(self) -> Test:
        """Terms joined by AND, or by nothing."""
        tests = [self.any_of()]
        while self.tokens and self.peek()[0] != "close":
            if self.peek() == ("word", "AND"):
                self.take()
            tests.append(self.any_of())
        return lambda entry: all(test(entry) for test in tests)

    def any_of(self) -> Test:
        tests = [self.term()]
        while self.tokens and self.peek() == ("word", "OR"):
            self.take()
            tests.append(self.term())
        return lambda entry: any(test(entry) for test in tests)

    def term(self) -> Test:
        kind, text = self.take()
        if kind == "minus" or (kind, text) == ("word", "NOT"):
            negated = self.term()
            return lambda entry: not negated(entry)
        if kind == "open":
            test = self.all_of()
            self.take("close")
            return test
        if kind not in ("word", "quoted") or text in ("AND", "OR"):
            raise _UnreadableError(text)
        if self.tokens and self.peek()[0] == "operator":
            return self.compared(_unquoted(text))
        if kind == "word" and self.tokens and self.peek()[0] == "open":
            return self.function(text)
        wanted = _unquoted(text).lower()
        return lambda entry: any(wanted in str(value).lower() for value in _values(entry))

    def compared(self, path: str) -> Test:
        sign = self.take("operator")[1]
        if self.peek()[0] != "open":
            return self.comparison(path, sign)
        self.take("open")  # field=("a" OR "b")
        tests, words = [self.comparison(path, sign)], set()
        while self.peek()[0] != "close":
            words.add(self.take("word")[1])
            tests.append(self.comparison(path, sign))
        self.take("close")
        if not words <= {"AND"} and not words <= {"OR"}:
            raise _UnreadableError("several words between values")
        joined = any if words == {"OR"} else all
        return lambda entry: joined(test(entry) for test in tests)

    def comparison(self, path: str, sign: str) -> Test:
        kind, text = self.take()
        if kind not in ("word", "quoted"):
            raise _UnreadableError(text)
        wanted = _unquoted(text)
        if sign == ":" and (kind, text) == ("word", "*"):
            return lambda entry: any(True for _ in _at(entry, path.split(".")))
        test = _comparison(sign, wanted)
        return lambda entry: any(test(value) for value in _at(entry, path.split(".")))

    def function(self, name: str) -> Test:
        self.take("open")
        argument = _unquoted(self.take("quoted")[1])
        self.take("close")
        if name.lower() != "log_id":
            raise _UnreadableError(name)
        return lambda entry: unquote(str(entry.get("logName", "")).rsplit("/", 1)[-1]) == argument

    def peek(self) -> tuple[str, str]:
        if not self.tokens:
            raise _UnreadableError("it ends too early")
        return self.tokens[0]

    def take(self, kind: str = "") -> tuple[str, str]:
        found = self.peek()
        if kind and found[0] != kind:
            raise _UnreadableError(found[1])
        del self.tokens[0]
        return found


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[:1] in "\"'" and len(text) > 1 else text


def _comparison(sign: str, wanted: str) -> Callable[[Any], bool]:
    low = wanted.lower()
    if sign in ("=", "!="):
        return lambda value: (_text(value) == low) == (sign == "=")
    if sign == ":":
        return lambda value: low in _text(value)
    if sign in ("=~", "!~"):
        pattern = re.compile(wanted)
        return lambda value: bool(pattern.search(str(value))) == (sign == "=~")
    if wanted.upper() not in SEVERITIES:
        raise _UnreadableError(f"{sign} {wanted}")
    least, order = SEVERITIES.index(wanted.upper()), ORDERS[sign]
    return lambda value: str(value) in SEVERITIES and order(SEVERITIES.index(str(value)), least)


def _text(value: Any) -> str:
    return str(value).lower()


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    """What stands at a path; of a list, what stands there in each of its items."""
    if isinstance(value, list):
        for item in value:
            yield from _at(item, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and _unquoted(path[0]) in value:
        yield from _at(value[_unquoted(path[0])], path[1:])


def _values(value: Any) -> Iterator[Any]:
    """Every single value in an entry, and every name of a field."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _values(item)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item)
    else:
        yield value
