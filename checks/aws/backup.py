"""AWS Backup: plans, vaults, restore tests and what they cover, and their tests.

https://docs.aws.amazon.com/aws-backup/latest/devguide/api-reference.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from checks.aws._listed import listed
from checks.aws._policy import open_to_nobody_unknown
from checks.aws._week import week_of
from checks.aws.account import account
from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    not_applicable,
    ok,
    older_than,
    resource,
)

AUTOMATIC = "aws/efs/"
"""How the names of the plan and the vault start that EFS makes for its own automatic backups."""

JOB_FIELDS = (
    "CompletionDate",
    "CreatedBy",
    "RecoveryPointArn",
    "RecoveryPointCreationDate",
    "ResourceType",
    "RestoreJobId",
    "SourceResourceArn",
    "Status",
    "StatusMessage",
    "ValidationStatus",
    "ValidationStatusMessage",
)


@evidence(
    calls=["backup:GetBackupPlan", "backup:ListBackupPlans", "backup:ListBackupSelections"], per="region"
)
def plans(aws: Any) -> Iterator[Resource]:
    """Every backup plan with its rules and the selections of what it covers."""
    backup = aws.client("backup")
    for plan in aws.pages(backup.list_backup_plans, "BackupPlansList"):
        name = plan["BackupPlanId"]
        yield resource(
            plan["BackupPlanArn"],
            name=plan["BackupPlanName"],
            config={
                **{key: value for key, value in plan.items() if key != "LastExecutionDate"},
                "Plan": aws.get(backup.get_backup_plan, "BackupPlan", BackupPlanId=name),
                "Selections": aws.all(
                    backup.list_backup_selections, "BackupSelectionsList", BackupPlanId=name
                ),
            },
        )


@evidence(calls=["backup:GetBackupVaultAccessPolicy", "backup:ListBackupVaults"], per="region")
def vaults(aws: Any) -> Iterator[Resource]:
    """Every backup vault with its lock and its policy; instead of how many recovery points, whether any."""
    backup = aws.client("backup")
    for vault in aws.pages(backup.list_backup_vaults, "BackupVaultList"):
        points = vault.pop("NumberOfRecoveryPoints", None)
        yield resource(
            vault["BackupVaultArn"],
            name=vault["BackupVaultName"],
            config={
                **vault,
                "HasRecoveryPoints": points != 0,
                "Policy": aws.get(
                    backup.get_backup_vault_access_policy,
                    "Policy",
                    absent="ResourceNotFoundException",
                    BackupVaultName=vault["BackupVaultName"],
                ),
            },
        )


@evidence(calls=["backup:ListBackupVaults", "backup:ListRecoveryPointsByBackupVault"], per="region")
def recovery_points(aws: Any) -> Iterator[Resource]:
    """Of every backup vault the recovery points that are not encrypted, and whether it holds any at all.

    The encrypted ones come and go every night, and nothing is asked of them; nor of those still being made.
    """
    backup = aws.client("backup")
    for vault in aws.pages(backup.list_backup_vaults, "BackupVaultList"):
        name = vault["BackupVaultName"]
        listed = aws.all(backup.list_recovery_points_by_backup_vault, "RecoveryPoints", BackupVaultName=name)
        listed = listed if isinstance(listed, list) else [listed]
        missing = next((one for one in listed if isinstance(one, NotCollected)), None)
        points = [one for one in listed if one is not missing and one["Status"] != "CREATING"]
        yield resource(
            f"{vault['BackupVaultArn']}:recovery-points",
            name=name,
            config={
                "Unencrypted": sorted(one["RecoveryPointArn"] for one in points if not one["IsEncrypted"]),
                "HasRecoveryPoints": missing or bool(points),
            },
        )


@evidence(calls=["backup:ListReportPlans"], per="region")
def report_plans(aws: Any) -> Iterator[Resource]:
    """Every plan by which AWS Backup reports on jobs and compliance; of its last report the week is kept."""
    for plan in listed(aws.client("backup").list_report_plans, "ReportPlans", "NextToken"):
        last = plan.get("LastSuccessfulExecutionTime")
        yield resource(
            plan["ReportPlanArn"],
            name=plan["ReportPlanName"],
            config={
                "ReportTemplate": plan["ReportSetting"]["ReportTemplate"],
                "ReportedInWeekOf": last and week_of(last),
            },
        )


@evidence(calls=["backup:ListProtectedResources"], per="region")
def protected_resources(aws: Any) -> Iterator[Resource]:
    """Everything that AWS Backup holds recovery points of.

    Of the last backup the week is kept, by its Monday: the time changes with every backup.
    """
    for one in aws.pages(aws.client("backup").list_protected_resources, "Results"):
        last = one.get("LastBackupTime")
        yield resource(
            one["ResourceArn"],
            config={
                "ResourceArn": one["ResourceArn"],
                "ResourceType": one["ResourceType"],
                "BackedUpInWeekOf": last and week_of(last),
            },
        )


@evidence(calls=["backup:ListRestoreTestingPlans", "backup:ListRestoreTestingSelections"], per="region")
def restore_testing_plans(aws: Any) -> Iterator[Resource]:
    """Every restore testing plan with the selections of what it restores."""
    backup = aws.client("backup")
    for plan in aws.pages(backup.list_restore_testing_plans, "RestoreTestingPlans"):
        name = plan["RestoreTestingPlanName"]
        yield resource(
            plan["RestoreTestingPlanArn"],
            name=name,
            config={
                **plan,
                "Selections": aws.all(
                    backup.list_restore_testing_selections,
                    "RestoreTestingSelections",
                    RestoreTestingPlanName=name,
                ),
            },
        )


@evidence(calls=["backup:ListRestoreJobs"], per="region")
def restore_jobs(aws: Any) -> Iterator[Resource]:
    """Every restore that AWS Backup still remembers and that is over, tests and real ones."""
    for job in aws.pages(aws.client("backup").list_restore_jobs, "RestoreJobs"):
        if job["Status"] not in ("PENDING", "RUNNING") and job.get("ValidationStatus") != "VALIDATING":
            yield resource(
                f"arn:aws:backup:{aws.region}:{aws.account}:restore-job:{job['RestoreJobId']}",
                config={key: job[key] for key in JOB_FIELDS if key in job},
            )


@check(account, plans, severity="medium")
def account_has_plan(account: Resource, *, plans: list[Resource]) -> Verdict:
    """Account has a backup plan in some region

    The plan that EFS makes for its own automatic backups does not count.

    Risk: backups rest on the settings of each service, and nobody decides what is kept, where and how long.
    Fix: aws backup create-backup-plan --backup-plan FILE; then give it resources by
        aws backup create-backup-selection
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupPlans.html
    Verified: 2026-11-25
    """
    for plan in plans:
        if not plan.name.startswith(AUTOMATIC):
            return ok(f"plan {plan.name} in {plan.part}")
    return fail("no backup plan in any region that is read")


@check(plans, severity="medium")
def plan_covers_something(plan: Resource) -> Verdict:
    """Backup plan has resources assigned to it

    Risk: a plan without a selection of resources backs up nothing, and looks as if it did.
    Fix: aws backup create-backup-selection --backup-plan-id ID --backup-selection FILE
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupSelections.html
    Verified: 2026-11-25
    """
    names = sorted(selection["SelectionName"] for selection in plan["Selections"])
    return ok(f"selections: {', '.join(names)}") if names else fail("no selection of resources")


@check(plans, severity="medium")
def plan_keeps_backups(plan: Resource, *, min_days: int = 30) -> Verdict:
    """Backup plan keeps recovery points as long as required

    One rule that keeps them so long is enough. A rule without DeleteAfterDays keeps them for good, unless it
    deletes them once they were copied.

    Risk: damage that is noticed late, as most intrusions are, is in every backup that is left.
    Fix: aws backup update-backup-plan --backup-plan-id ID --backup-plan FILE, with Lifecycle
        DeleteAfterDays of the rule raised
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html
    Verified: 2026-11-25
    """
    lifecycles = [rule.get("Lifecycle") or {} for rule in plan["Plan"]["Rules"]]
    lifecycles = [one for one in lifecycles if "DeleteAfterEvent" not in one]
    if any("DeleteAfterDays" not in lifecycle for lifecycle in lifecycles):
        return ok("a rule keeps recovery points for good")
    longest = max((lifecycle["DeleteAfterDays"] for lifecycle in lifecycles), default=0)
    stated = f"keeps recovery points for {longest} days"
    return ok(stated) if longest >= min_days else fail(f"{stated}, fewer than {min_days}")


@check(plans, severity="low")
def plan_copies_elsewhere(plan: Resource) -> Verdict:
    """Backup plan copies recovery points to another region or account

    Risk: what destroys a region, or takes over the account, destroys the backups with it.
    Fix: add to a rule of the plan CopyActions with a DestinationBackupVaultArn in another region or account
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CopyAction.html
    Verified: 2026-11-25
    """
    here = plan["BackupPlanArn"].split(":")[3:5]
    copies = [
        action["DestinationBackupVaultArn"]
        for rule in plan["Plan"]["Rules"]
        for action in rule.get("CopyActions", ())
        if action["DestinationBackupVaultArn"].split(":")[3:5] != here
    ]
    return (
        ok(f"copies to {', '.join(sorted(set(copies)))}")
        if copies
        else fail("no rule copies to another region or account")
    )


@check(vaults, severity="medium")
def vault_is_encrypted(vault: Resource) -> Verdict:
    """Backup vault has an encryption key

    The key is used for what AWS Backup manages in full; other recovery points keep their source's key.

    Risk: whoever gets at the backups can read them.
    Fix: aws backup create-backup-vault --backup-vault-name NAME --encryption-key-arn KEY; point the plans at
        it
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupVaultListMember.html
    Verified: 2026-11-25
    """
    key = vault.get("EncryptionKeyArn") or vault.get("EncryptionKeyType")
    return ok(f"key {key}") if key else fail("no encryption key")


@check(vaults, severity="medium")
def vault_is_locked(vault: Resource) -> Verdict:
    """Backup vault that holds recovery points is locked against their deletion

    With a date of lock the lock can never be taken off after it; without one, administrators can take it
    off.

    Risk: whoever takes over an administrator deletes the backups before anything else.
    Fix: aws backup put-backup-vault-lock-configuration --backup-vault-name {name} --min-retention-days DAYS
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupVaultListMember.html
    Verified: 2026-11-25
    """
    if not vault["HasRecoveryPoints"]:
        return not_applicable("holds no recovery points")
    if not vault.get("Locked"):
        return fail("not locked")
    date = vault.get("LockDate")
    return ok(
        f"locked, for good from {day(date)}" if date else "locked; administrators can take the lock off"
    )


@check(vaults, severity="high")
def vault_is_not_public(vault: Resource) -> Verdict:
    """Backup vault's policy lets in nobody who is not named

    Risk: principals of any AWS account can copy into the vault, or read or delete what is in it.
    Fix: name the accounts or the organisation in the policy: aws backup put-backup-vault-access-policy
        --backup-vault-name {name} --policy FILE
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_GetBackupVaultAccessPolicy.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown(vault["Policy"], "no policy")


@check(recovery_points, severity="medium")
def recovery_points_are_encrypted(vault: Resource) -> Verdict:
    """Every recovery point in the backup vault is encrypted

    Risk: whoever gets at the backup can read what the resource itself protects.
    Fix: encrypt the resource that is backed up; copy the recovery point into a vault with a key, where its
        type allows it; then aws backup delete-recovery-point --backup-vault-name {name}
        --recovery-point-arn ARN
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RecoveryPointByBackupVault.html
    Verified: 2026-11-25
    """
    if found := vault["Unencrypted"]:
        return fail(f"{len(found)} not encrypted: {', '.join(found)}")
    return ok("all encrypted") if vault["HasRecoveryPoints"] else not_applicable("holds no recovery points")


@check(account, report_plans, severity="low")
def account_reports_on_backups(
    account: Resource, *, report_plans: list[Resource], at: datetime, max_days: int = 14
) -> Verdict:
    """Account has AWS Backup report on its jobs or its compliance, and a report came lately

    The last report is known by its week, which is counted from its Monday.

    Risk: jobs that fail, and resources that no plan covers, are seen by nobody.
    Fix: aws backup create-report-plan --report-plan-name NAME --report-setting
        ReportTemplate=BACKUP_JOB_REPORT --report-delivery-channel S3BucketName=BUCKET,Formats=CSV
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ReportPlan.html
    Verified: 2026-11-25
    """
    problems = []
    for plan in report_plans:
        week = plan["ReportedInWeekOf"]
        if not older_than(week, max_days, at):
            return ok(f"{plan.name} in {plan.part} makes a {plan['ReportTemplate']}")
        problems.append(
            f"{plan.name} " + (f"last reported in the week of {week}" if week else "never reported")
        )
    return fail("; ".join(problems) or "no report plan in any region that is read")


@check(protected_resources, severity="medium")
def backup_is_recent(protected: Resource, *, at: datetime, max_days: int = 14) -> Verdict:
    """What AWS Backup once backed up is still being backed up

    The last backup is known by its week, which is counted from its Monday: leave `max_days` a week more than
    the plan's interval.

    Risk: a resource that fell out of its plan, or whose backups fail, is protected by old copies only.
    Fix: see why the jobs stopped: aws backup list-backup-jobs --by-resource-arn ARN; if the resource is gone
        and its recovery points are kept on purpose, accept this by an exception
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ProtectedResource.html
    Verified: 2026-11-25
    """
    week = protected["BackedUpInWeekOf"]
    stated = f"last backup in the week of {week}" if week else "no backup was completed"
    return fail(stated) if older_than(week, max_days, at) else ok(stated)


@check(account, restore_testing_plans, severity="medium")
def account_tests_restores(
    account: Resource, *, restore_testing_plans: list[Resource], at: datetime, max_days: int = 90
) -> Verdict:
    """Account has a restore testing plan that covers something and has run within the time allowed

    Restores tested by hand are not seen here. Give the record of them as manual evidence.

    Risk: that backups cannot be restored, or not in time, is found out when they are needed.
    Fix: aws backup create-restore-testing-plan --restore-testing-plan FILE; then give it resources by
        aws backup create-restore-testing-selection
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RestoreTestingPlanForList.html
    Verified: 2026-11-25
    """
    problems = []
    for plan in restore_testing_plans:
        last = plan.get("LastExecutionTime")
        if not plan["Selections"]:
            problems.append(f"{plan.name} covers nothing")
        elif older_than(last, max_days, at):
            problems.append(f"{plan.name} last ran {day(last)}")
        else:
            return ok(f"{plan.name} in {plan.part} runs by {plan['ScheduleExpression']}")
    return fail("; ".join(problems) or "no restore testing plan in any region that is read")


@check(restore_jobs, severity="medium")
def restore_succeeded(job: Resource) -> Verdict:
    """Restore was completed, and what was restored passed validation where that was done

    Risk: the backup cannot be relied on.
    Fix: read the message in the result, mend its cause and restore again: aws backup describe-restore-job
        --restore-job-id {name}
    Source: https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RestoreJobsListMember.html
    Verified: 2026-11-25
    """
    stated = f"restore of {job.get('ResourceType', 'a resource')} {job['Status']}"
    if "CompletionDate" in job:
        stated += f" {day(job['CompletionDate'])}"
    if job["Status"] != "COMPLETED":
        return fail(f"{stated}: {job.get('StatusMessage', 'no message')}")
    validation = job.get("ValidationStatus", "not done")
    stated += f", validation {validation}"
    return fail(stated) if validation in ("FAILED", "TIMED_OUT") else ok(stated)
