"""Environment variables and metadata: redacted as evidence, and judged for secrets in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks._secrets import is_redacted, known_kind, shown, suggests_secret
from collector.sdk import Verdict, fail, ok


def redacted(values: Mapping[str, Any] | None, redact: Any) -> dict[str, str]:
    """The values, each as a keyed digest that names the kind of secret it is if its form tells."""
    return {name: shown(str(value), redact) for name, value in (values or {}).items()}


def holds_no_known_secret(values: Mapping[str, str]) -> Verdict:
    """Passes if no value has the form of a known kind of secret."""
    found = [f"{name} ({kind})" for name, value in values.items() if (kind := known_kind(value))]
    if found:
        return fail(f"secrets in {', '.join(sorted(found))}")
    return ok("no value has the form of a known kind of secret")


def names_no_secret(values: Mapping[str, str]) -> Verdict:
    """Passes if no variable with a value is named as secrets are."""
    named = [name for name, value in values.items() if suggests_secret(name) and is_redacted(value)]
    return (
        fail(f"values in {', '.join(sorted(named))}") if named else ok("no variable is named like a secret")
    )
