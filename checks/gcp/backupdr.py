"""Google Cloud Backup and DR: backup vaults, and what is backed up by plan.

https://cloud.google.com/backup-disaster-recovery/docs/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.gcp._durations import days
from checks.gcp._names import described
from collector.sdk import (
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    older_than,
)

COUNTERS = ("backupCount", "totalStoredBytes", "deletable")


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def vaults(gcp: Any) -> Iterator[Resource]:
    """Every backup vault, with the retention it enforces."""
    yield from described(gcp.assets("backupdr.googleapis.com/BackupVault"), drop=COUNTERS)


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def associations(gcp: Any) -> Iterator[Resource]:
    """Every resource to which a backup plan is applied, and how each rule's last backup went."""
    yield from described(gcp.assets("backupdr.googleapis.com/BackupPlanAssociation"))


def covers(association: Resource, link: str) -> bool:
    """Whether an association that works backs up the zonal or regional resource that a link means.

    Compares what follows the project, which Google gives by id or by number.
    """
    target = association.get("resource") or ""
    return association.get("state") == "ACTIVE" and _place(target) == _place(link)


def _place(link: str) -> str:
    return (
        link.partition("/projects/")[2].partition("/")[2] or link.removeprefix("projects/").partition("/")[2]
    )


@check(vaults, severity="medium")
def vault_enforces_retention(vault: Resource, *, min_days: int = 7) -> Verdict:
    """Backup vault keeps every backup for days that nobody can shorten

    Risk: whoever takes over an administrator's account deletes the backups along with the data.
    Fix: gcloud backup-dr backup-vaults update {name} --location LOCATION
        --backup-min-enforced-retention=7d
    Source: https://cloud.google.com/backup-disaster-recovery/docs/reference/rest/v1/projects.locations.backupVaults
    Verified: 2026-11-25, fields and values, by the discovery document of backupdr v1.
    """
    enforced = days(vault["backupMinimumEnforcedRetentionDuration"])
    sentence = f"enforced retention {enforced:g} days"
    return ok(sentence) if enforced >= min_days else fail(f"{sentence}; at least {min_days}")


@check(vaults, severity="medium")
def vault_restores_within_the_organization(vault: Resource) -> Verdict:
    """Backups of the vault cannot be restored to another organisation

    Risk: whoever may restore carries all data out of the company in one call.
    Fix: access restriction is set when a vault is made: gcloud backup-dr backup-vaults create NAME
        --location LOCATION --access-restriction=within-org ..., then move the plans to it.
    Source: https://cloud.google.com/backup-disaster-recovery/docs/reference/rest/v1/projects.locations.backupVaults
    Verified: 2026-11-25, fields and values, by the discovery document of backupdr v1.
    """
    restriction = vault.get("accessRestriction") or "WITHIN_ORGANIZATION"  # the documented default
    return fail(f"access {restriction}") if restriction == "UNRESTRICTED" else ok(f"access {restriction}")


@check(associations, severity="high")
def planned_backup_succeeds(association: Resource, *, at: datetime, max_days: int = 8) -> Verdict:
    """Backups by plan succeed

    Every rule of the plan must have a successful backup within `max_days` days.

    Risk: backups that silently stopped are missed on the day they are needed.
    Fix: see the error under Backup and DR > Jobs, mend it, and run the rule:
        gcloud backup-dr backup-plan-associations trigger-backup {name} --location LOCATION --backup-rule-id
        RULE
    Source: https://cloud.google.com/backup-disaster-recovery/docs/reference/rest/v1/projects.locations.backupPlanAssociations
    Verified: 2026-11-25, fields and values, by the discovery document of backupdr v1.
    """
    state = association["state"]
    if state == "DELETING":
        return not_applicable("the plan is being taken off")
    if state != "ACTIVE":
        return fail(f"association {state}")
    if not (rules := association.get("rulesConfigInfo")):
        return not_tested("Google states no rule of the plan")
    late = [one for one in rules if older_than(one.get("lastSuccessfulBackupConsistencyTime"), max_days, at)]
    if late:
        return fail("; ".join(_told(one) for one in late) + f"; at most {max_days} days back")
    return ok(f"every rule succeeded within {max_days} days")


def _told(rule: Any) -> str:
    last = day(rule.get("lastSuccessfulBackupConsistencyTime"))
    return f"rule {rule.get('ruleId')}: last backup {rule.get('lastBackupState')}, last success {last}"
