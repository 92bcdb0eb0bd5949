"""Durations as Google's APIs give them: seconds with an `s`, such as `7776000s`.

https://protobuf.dev/reference/protobuf/google.protobuf/#duration
"""

from __future__ import annotations

from collector.sdk import NotCollectedError, Reason

DAY = 86400
"""Seconds."""


def days(duration: str) -> float:
    """A duration in days.

    Raises:
        NotCollectedError: it is no duration.
    """
    try:
        return float(duration.removesuffix("s")) / DAY
    except ValueError as error:
        raise NotCollectedError(Reason.MALFORMED, f"not a duration: {duration!r}") from error
