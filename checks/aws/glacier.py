"""Amazon Glacier's vaults, which came before S3's storage classes of that name, and their tests.

What vaults hold is encrypted at all times.
https://docs.aws.amazon.com/amazonglacier/latest/dev/amazon-glacier-api.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws._policy import open_to_nobody_unknown
from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource

OWN = "-"
"""The account that asks."""


@evidence(
    calls=["glacier:GetVaultAccessPolicy", "glacier:GetVaultLock", "glacier:ListVaults"],
    per="region",
)
def vaults(aws: Any) -> Iterator[Resource]:
    """Every vault with its policy and the state of its lock."""
    glacier = aws.client("glacier")
    for vault in _listed(aws, glacier):
        asked = {"accountId": OWN, "vaultName": vault["VaultName"], "absent": "ResourceNotFoundException"}
        policy = aws.get(glacier.get_vault_access_policy, "policy", **asked)
        yield resource(
            vault["VaultARN"],
            name=vault["VaultName"],
            config={
                "Policy": policy["Policy"] if isinstance(policy, dict) else policy,
                "LockState": aws.get(glacier.get_vault_lock, "State", **asked),
            },
        )


def _listed(aws: Any, glacier: Any) -> Iterator[dict[str, Any]]:
    """All vaults; none where AWS answers that the account stores nothing in them, as most will.

    https://docs.aws.amazon.com/amazonglacier/latest/dev/api-vaults-get.html
    """
    try:
        yield from aws.pages(glacier.list_vaults, "VaultList", accountId=OWN)
    except glacier.exceptions.NoLongerSupportedException:
        return


@check(vaults, severity="high")
def vault_is_not_public(vault: Resource) -> Verdict:
    """Glacier vault is open to nobody unknown

    Risk: anyone can fetch or delete the archives.
    Fix: name principals in the statement given in the result: aws glacier set-vault-access-policy
        --account-id - --vault-name {name} --policy FILE
    Source: https://docs.aws.amazon.com/amazonglacier/latest/dev/api-GetVaultAccessPolicy.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown(vault["Policy"], "no policy: the vault's own account only")


@check(vaults, severity="low")
def vault_is_locked(vault: Resource) -> Verdict:
    """Glacier vault's lock holds, so that its policy cannot be changed any more

    What the lock's policy asks for, such as a time before which nothing is deleted, is not judged.

    Risk: archives kept for the law can be deleted by whoever administers the account.
    Fix: aws glacier initiate-vault-lock --account-id - --vault-name {name} --policy FILE; then
        complete-vault-lock
    Source: https://docs.aws.amazon.com/amazonglacier/latest/dev/api-GetVaultLock.html
    Verified: 2026-11-25
    """
    state = vault["LockState"]
    return ok("vault lock Locked") if state == "Locked" else fail(f"vault lock {state or 'never set'}")
