"""Reads the evidence of one scope. Runs in a worker: takes and returns plain data."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from collector import platforms
from collector.model import (
    Json,
    NotCollected,
    Observation,
    Provenance,
    Reason,
    Resource,
    Scope,
    State,
    iso,
)
from collector.sdk import Evidence

SECRETS = {
    "AWS access key": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b",
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{20,}",
    "Google API key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "password in a URL": r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]+@",
}
"""Kinds of secret that can be told by their form."""

LARGEST = 1 << 53
"""Integers below it are exact wherever JSON is read (RFC 7493, section 2.2)."""

_SECRET = re.compile("|".join(f"({pattern})" for pattern in SECRETS.values()))


class Redactor:
    """Replaces a secret by a keyed digest, so that a change shows and the secret does not.

    `redacted:0123456789abcdef`, or `redacted:AWS access key:0123456789abcdef` where its form tells its kind.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, secret: str) -> str:
        found = _SECRET.search(secret)
        kind = f"{list(SECRETS)[(found.lastindex or 1) - 1]}:" if found else ""
        digest = hmac.new(self._key, secret.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:16]
        return f"redacted:{kind}{digest}"


def collect(
    scope: Scope,
    options: Any,
    evidence: Sequence[Evidence],
    context: platforms.Context,
    now: Callable[[], datetime],
    limit: int | None = None,
) -> list[Observation]:
    """Reads each evidence from the scope; whatever goes wrong becomes the observation's reason.

    Args:
        limit: stop each evidence after so many resources (for `doctor`); the observation is then partial.
    """
    platform = platforms.load(scope.platform)
    try:
        session = platform.open_session(options, scope, context)
    except Exception as error:
        missing = platform.classify(error) or defect(f"connecting to {scope.key}", error)
        return [failed(one.id, scope, now(), missing) for one in evidence]
    try:
        return [_observe(platform, session, scope, one, context, now, limit) for one in evidence]
    finally:
        session.close()


def failed(evidence: str, scope: Scope, at: datetime, missing: NotCollected) -> Observation:
    """The observation of an evidence of which nothing could be read."""
    return Observation(evidence, scope, at, State.FAILED, reason=missing.reason, detail=missing.detail)


def _observe(
    platform: platforms.Platform,
    session: platforms.Session,
    scope: Scope,
    evidence: Evidence,
    context: platforms.Context,
    now: Callable[[], datetime],
    limit: int | None,
) -> Observation:
    found: dict[str, tuple[str, str, Json]] = {}
    gaps: Counter[str] = Counter()
    missing: NotCollected | None = None
    try:
        session.begin(evidence)
        for number, item in enumerate(evidence.read(session)):
            if number == limit:
                missing = NotCollected(Reason.NOT_SEEN, f"stopped after {limit} items, as asked")
                break
            key = _text(item.key)
            found[key] = (key, _text(item.name), _as_json(item, context.redact, gaps))
    except Exception as error:
        missing = platform.classify(error) or defect(evidence.id, error)
    state = State.COMPLETE if missing is None else State.PARTIAL if found else State.FAILED
    return Observation(
        evidence=evidence.id,
        scope=scope,
        at=now().replace(microsecond=0),
        state=state,
        resources=tuple(found[key] for key in sorted(found)),
        reason=missing.reason if missing else None,
        detail=missing.detail if missing else "",
        stated=session.stated,
        gaps=dict(sorted(gaps.items())),
        provenance=Provenance(session.identity, session.endpoint, session.calls()),
    )


def defect(what: str, error: Exception) -> NotCollected:
    """Code of ours that stumbled: most often over an answer that lacks what is documented."""
    return NotCollected(Reason.MALFORMED, f"{what} stumbled: {type(error).__name__}: {error}")


def _as_json(item: Resource, redact: platforms.Redact, gaps: Counter[str]) -> Json:
    """The configuration as JSON: times as ISO 8601 in UTC, bytes as digest, secrets redacted."""

    def convert(value: Any) -> Json:
        if isinstance(value, str):
            return redact(value) if _SECRET.search(value) else _text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _number(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            return {_text(str(key)): convert(one) for key, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset | Iterator):
            return [convert(one) for one in (sorted(value) if isinstance(value, set | frozenset) else value)]
        if isinstance(value, NotCollected):
            gaps[f"{value.reason.value}: {value.detail}"] += 1
            return value.to_json()
        if isinstance(value, datetime):
            return iso(value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, bytes | bytearray):
            return f"sha256:{hashlib.sha256(value).hexdigest()}"
        raise TypeError(f"{type(value).__name__} in a configuration is not JSON")

    return convert(item.config)


def _text(value: str) -> str:
    """Text as UTF-8 can carry it: JSON may hold half of a surrogate pair, which no file can."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _number(value: float) -> Json:
    """A number as the ledger gives it back (RFC 8785): 8.0 is 8, and one too large to be exact is text.

    So a check says the same of what was read and of what was recorded.
    """
    if isinstance(value, float):
        exact = value.is_integer() and abs(value) < LARGEST
        return int(value) if exact else value if math.isfinite(value) else str(value)
    return value if abs(value) < LARGEST else str(value)
