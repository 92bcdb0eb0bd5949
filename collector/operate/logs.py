"""The log of what runs unattended: JSON lines for machines, plain lines on a terminal."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, TextIO

from collector.model import iso

LOG = logging.getLogger("collector")


def log(event: str, /, level: int = logging.INFO, **facts: Any) -> None:
    """Says what happened, in words, and the facts of it, by name."""
    LOG.log(level, event, extra={"facts": facts})


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={value}" for name, value in _facts(record).items())
        return f"{_at(record)} {record.levelname.lower()}: {record.getMessage()}{facts}{self._trace(record)}"

    def _trace(self, record: logging.LogRecord) -> str:
        return "\n" + self.formatException(record.exc_info) if record.exc_info else ""


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **_facts(record),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=_plain)


def begin(stream: TextIO) -> None:
    """Sends what is logged, by us and by the libraries, to a stream: JSON unless that is a terminal."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Lines() if stream.isatty() else _Json())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    LOG.setLevel(logging.INFO)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = getattr(record, "facts", {})
    return {name: _plain(value) if isinstance(value, datetime) else value for name, value in facts.items()}


def _at(record: logging.LogRecord) -> str:
    return iso(datetime.fromtimestamp(record.created, UTC))


def _plain(value: Any) -> str:
    return iso(value) if isinstance(value, datetime) else str(value)
