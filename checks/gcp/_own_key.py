"""The verdict on keys of one's own (CMEK) for what Google encrypts in any case.

https://cloud.google.com/kms/docs/cmek
"""

from __future__ import annotations

from collector.sdk import Verdict, fail, ok


def under_own_key(key: str | None) -> Verdict:
    """Passes if a Cloud KMS key is named. No name is how every service says that Google's key is used."""
    return ok(f"Cloud KMS key {key}") if key else fail("encrypted under Google's key, not one of one's own")
