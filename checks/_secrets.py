"""Tells by names and redacted values where a secret is kept that should not be."""

from __future__ import annotations

import re
from typing import Any

_NAME = re.compile(
    r"(password|passwd|passphrase|secret|token|credentials?|(api|access|private|secret|signing|auth)[_-]?key)"
    r"[_-]?\d*$",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"|true|false|arn:[a-z-]+:[a-z0-9-]+:\S*", re.IGNORECASE)


def suggests_secret(name: str) -> bool:
    """Whether a name ends as names of secrets do: `DB_PASSWORD`, `apiKey`, `/app/token`; not `TOKEN_ARN`."""
    return bool(_NAME.search(name))


def shown(value: str, redact: Any) -> str:
    """A value as evidence may hold it: nothing, a yes or no, or an ARN as it is; all else redacted."""
    return value if _PLAIN.fullmatch(value) else str(redact(value))


def is_redacted(value: str) -> bool:
    return value.startswith("redacted:")


def known_kind(value: str) -> str:
    """The kind of secret that a redacted value was seen to be; empty if none could be told by its form."""
    return value.split(":")[1] if is_redacted(value) and value.count(":") > 1 else ""
