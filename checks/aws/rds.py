"""Amazon RDS, Aurora, DocumentDB and Neptune: databases and snapshots, and their tests.

One API lists the databases of all four: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from collector.sdk import (
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    instant,
    not_applicable,
    not_tested,
    ok,
    resource,
)

VOLATILE = frozenset(
    {
        "ActivityStreamStatus",
        "AllocatedStorage",
        "AutomaticRestartTime",
        "BacktrackConsumedChangeRecords",
        "Capacity",
        "DBInstanceStatus",
        "EarliestBacktrackTime",
        "EarliestRestorableTime",
        "IOOptimizedNextAllowedModificationTime",
        "LatestRestorableTime",
        "PendingModifiedValues",
        "PercentProgress",
        "Status",
        "StatusInfos",
        "StorageOperationPercentProgress",
        "StorageOperationStatus",
        "StorageVolumeStatus",
    }
)

TLS_PARAMETER = {
    "aurora-mysql": "require_secure_transport",
    "aurora-postgresql": "rds.force_ssl",
    "docdb": "tls",
    "mariadb": "require_secure_transport",
    "mysql": "require_secure_transport",
    "neptune": "neptune_enforce_ssl",
    "postgres": "rds.force_ssl",
    "sqlserver-ee": "rds.force_ssl",
    "sqlserver-ex": "rds.force_ssl",
    "sqlserver-se": "rds.force_ssl",
    "sqlserver-web": "rds.force_ssl",
}
"""The parameter by which each engine refuses connections without TLS.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
https://docs.aws.amazon.com/documentdb/latest/developerguide/security.encryption.ssl.html
https://docs.aws.amazon.com/neptune/latest/userguide/parameters.html
"""
OFF = ("", "0", "off", "false", "disabled")

IAM_ENGINES = ("aurora-mysql", "aurora-postgresql", "mariadb", "mysql", "neptune", "postgres")
"""Engines whose users can log in by IAM.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
"""


@evidence(
    calls=[
        "rds:DescribeDBClusterParameters",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeDBParameters",
    ],
    per="region",
)
def databases(aws: Any) -> Iterator[Resource]:
    """Every DB cluster and DB instance, with the parameter that forces TLS where its engine has one.

    An instance of a cluster has the cluster's parameter, and is not asked for its own.
    """
    rds = aws.client("rds")
    for cluster in aws.pages(rds.describe_db_clusters, "DBClusters"):
        config = {key: value for key, value in cluster.items() if key not in VOLATILE}
        if parameter := TLS_PARAMETER.get(cluster["Engine"]):
            config["TlsParameter"] = _parameter(
                aws,
                rds.describe_db_cluster_parameters,
                parameter,
                DBClusterParameterGroupName=cluster["DBClusterParameterGroup"],
            )
        yield resource(cluster["DBClusterArn"], name=cluster["DBClusterIdentifier"], config=config)
    for instance in aws.pages(rds.describe_db_instances, "DBInstances"):
        config = {key: value for key, value in instance.items() if key not in VOLATILE}
        parameter = TLS_PARAMETER.get(instance["Engine"])
        if parameter and "DBClusterIdentifier" not in instance:
            group = instance["DBParameterGroups"][0]["DBParameterGroupName"]
            config["TlsParameter"] = _parameter(
                aws, rds.describe_db_parameters, parameter, DBParameterGroupName=group
            )
        yield resource(instance["DBInstanceArn"], name=instance["DBInstanceIdentifier"], config=config)


def _parameter(aws: Any, method: Any, parameter: str, **group: str) -> Any:
    """A parameter of a group, as a list of one; [] if the group has none of that name."""
    only = [{"Name": "parameter-name", "Values": [parameter]}]
    return aws.once(
        f"rds {group}",
        lambda: aws.all(method, "Parameters", Filters=only, **group),
    )


@evidence(
    calls=[
        "rds:DescribeDBClusterSnapshotAttributes",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBSnapshotAttributes",
        "rds:DescribeDBSnapshots",
    ],
    per="region",
)
def snapshots(aws: Any) -> Iterator[Resource]:
    """Every manual snapshot of an instance or a cluster, and who may restore it.

    Automated ones cannot be shared and are encrypted as their database is. Nor can an encrypted one be
    shared with everyone: only of the others is it asked who may restore them.
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html
    """
    rds = aws.client("rds")
    manual = {"SnapshotType": "manual"}
    for one in aws.pages(rds.describe_db_snapshots, "DBSnapshots", **manual):
        yield _snapshot(aws, "DBSnapshot", one, one["Encrypted"], rds.describe_db_snapshot_attributes)
    for one in aws.pages(rds.describe_db_cluster_snapshots, "DBClusterSnapshots", **manual):
        attributes = rds.describe_db_cluster_snapshot_attributes
        yield _snapshot(aws, "DBClusterSnapshot", one, one["StorageEncrypted"], attributes)


def _snapshot(aws: Any, kind: str, snapshot: dict[str, Any], encrypted: bool, attributes: Any) -> Resource:
    name = snapshot[f"{kind}Identifier"]
    config = {key: value for key, value in snapshot.items() if key not in VOLATILE}
    config["Encrypted"] = encrypted
    if not encrypted:
        answer = aws.get(attributes, f"{kind}AttributesResult", **{f"{kind}Identifier": name})
        config["Attributes"] = answer[f"{kind}Attributes"] if isinstance(answer, dict) else answer
    return resource(snapshot[f"{kind}Arn"], name=name, config=config)


def _is_cluster(database: Resource) -> bool:
    return "DBClusterArn" in database


def _by_cluster(database: Resource) -> Verdict | None:
    """The verdict on an instance where the setting is its cluster's."""
    if _is_cluster(database) or "DBClusterIdentifier" not in database:
        return None
    return not_applicable(f"set by its cluster {database['DBClusterIdentifier']}, which is tested itself")


def _replica(database: Resource) -> Verdict | None:
    """The verdict on a read replica where what it copies is what counts."""
    source = database.get("ReadReplicaSourceDBInstanceIdentifier")
    return not_applicable(f"read replica of {source}") if source else None


@check(databases, severity="high")
def database_is_encrypted(database: Resource) -> Verdict:
    """Database is encrypted, and with it its backups and replicas

    Risk: whoever gets at the storage, a snapshot or a backup can read all of it.
    Fix: encryption is set when a database is made: restore an encrypted copy of a snapshot (aws rds
        copy-db-snapshot --kms-key-id KEY) and put it in the place of {name}.
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html
    Verified: 2026-11-25
    """
    if verdict := _by_cluster(database):
        return verdict
    return _encrypted(database, database["StorageEncrypted"])


def _encrypted(stored: Resource, encrypted: bool) -> Verdict:
    """`sse-rds` is a key that RDS owns, which newer databases have where no other is named."""
    if not encrypted and stored.get("StorageEncryptionType") != "sse-rds":
        return fail("not encrypted")
    return ok(f"encrypted with {stored['KmsKeyId']}" if "KmsKeyId" in stored else "encrypted")


@check(databases, severity="critical")
def database_is_not_public(database: Resource) -> Verdict:
    """Database has no public address

    Of the clusters only Multi-AZ DB clusters have the setting; in others it is each instance's.

    Risk: only a security group stands between the internet and the database's login.
    Fix: aws rds modify-db-instance --db-instance-identifier {name} --no-publicly-accessible
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
    Verified: 2026-11-25
    """
    if _is_cluster(database) and "PubliclyAccessible" not in database:
        return not_applicable("set by each instance of the cluster, which is tested itself")
    return fail("publicly accessible") if database["PubliclyAccessible"] else ok("not publicly accessible")


@check(databases, severity="high")
def database_is_backed_up(database: Resource, *, min_days: int = 7) -> Verdict:
    """Database's automatic backups are kept as long as required

    Risk: what is deleted or damaged, by mistake or by an attacker, is gone.
    Fix: aws rds modify-db-instance --db-instance-identifier {name} --backup-retention-period DAYS; for a
        cluster aws rds modify-db-cluster
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html
    Verified: 2026-11-25
    """
    if verdict := _by_cluster(database) or _replica(database):
        return verdict
    days = database["BackupRetentionPeriod"]
    if days == 0:
        return fail("automatic backups off")
    stated = f"backups kept for {days} days"
    return ok(stated) if days >= min_days else fail(f"{stated}, fewer than {min_days}")


@check(databases, severity="medium")
def database_spans_zones(database: Resource) -> Verdict:
    """Database stands by in a second availability zone

    Risk: when the zone fails the database is gone until it is restored by hand.
    Fix: aws rds modify-db-instance --db-instance-identifier {name} --multi-az; for an Aurora cluster, add
        an instance in another zone
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.html
    Verified: 2026-11-25
    """
    if verdict := _by_cluster(database) or _replica(database):
        return verdict
    return ok("Multi-AZ") if database["MultiAZ"] else fail("in one zone only")


@check(databases, severity="medium")
def database_is_protected_from_deletion(database: Resource) -> Verdict:
    """Database cannot be deleted before its protection is taken off

    Risk: one command, by mistake or by an attacker, deletes all the data.
    Fix: aws rds modify-db-instance --db-instance-identifier {name} --deletion-protection; for a cluster aws
        rds modify-db-cluster
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    Verified: 2026-11-25
    """
    if verdict := _by_cluster(database):
        return verdict
    return ok("deletion protection on") if database["DeletionProtection"] else fail("deletion protection off")


@check(databases, severity="medium")
def database_requires_tls(database: Resource) -> Verdict:
    """Database refuses connections without TLS

    A parameter of its group decides, by the name of rds.force_ssl, require_secure_transport, tls or
    neptune_enforce_ssl. Oracle and Db2 do it by other means, which are not read.

    Risk: passwords and data can be read and changed on their way through the network.
    Fix: set the parameter in a group of your own: aws rds modify-db-parameter-group --db-parameter-group-name
        GROUP --parameters ParameterName=PARAMETER,ParameterValue=1,ApplyMethod=pending-reboot
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
    Verified: 2026-11-25
    """
    if verdict := _by_cluster(database):
        return verdict
    parameter = TLS_PARAMETER.get(database["Engine"])
    if not parameter:
        return not_tested(f"no parameter says whether {database['Engine']} requires TLS")
    for found in database["TlsParameter"]:
        if found["ParameterName"] == parameter:
            value = found.get("ParameterValue", "")
            stated = f"{parameter}={value}" if value else f"{parameter} not set, which is off"
            return fail(stated) if value.lower() in OFF else ok(stated)
    return fail(f"its parameter group has no {parameter}: this version cannot require TLS")


@check(databases, severity="medium")
def database_upgrades_itself(database: Resource) -> Verdict:
    """Database takes minor versions, and the security fixes in them, by itself

    Risk: known vulnerabilities stay open until somebody thinks of them.
    Fix: aws rds modify-db-instance --db-instance-identifier {name} --auto-minor-version-upgrade
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.Upgrading.html
    Verified: 2026-11-25
    """
    if _is_cluster(database):
        return not_applicable("set by each instance of the cluster, which is tested itself")
    if database["Engine"] == "docdb":
        return not_applicable("DocumentDB does not have the setting")
    stated = f"{database['Engine']} {database['EngineVersion']}, automatic minor version upgrade"
    return ok(f"{stated} on") if database["AutoMinorVersionUpgrade"] else fail(f"{stated} off")


@check(databases, severity="medium")
def database_exports_logs(database: Resource) -> Verdict:
    """Database sends at least one of its logs to CloudWatch Logs

    Which log types there are depends on the engine; the result names those that are sent.

    Risk: the logs are lost with the instance, and nobody is told of what is in them.
    Fix: aws rds modify-db-instance --db-instance-identifier {name} --cloudwatch-logs-export-configuration
        EnableLogTypes=LOG_TYPE; for a cluster aws rds modify-db-cluster
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
    Verified: 2026-11-25
    """
    if verdict := _by_cluster(database):
        return verdict
    logs = sorted(database.get("EnabledCloudwatchLogsExports", ()))
    return ok(f"exports {', '.join(logs)}") if logs else fail("exports no logs")


@check(databases, severity="low")
def database_passes_tags_on(database: Resource) -> Verdict:
    """Database passes its tags on to its snapshots

    Of clusters and of instances that belong to none.

    Risk: rules that go by the tags, of access, retention or class of data, do not reach the snapshots.
    Fix: aws rds modify-db-instance --db-instance-identifier {name} --copy-tags-to-snapshot; for a cluster aws
        rds modify-db-cluster
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
    Verified: 2026-11-25
    """
    if verdict := _by_cluster(database):
        return verdict
    if "CopyTagsToSnapshot" not in database:
        return not_tested(f"RDS does not state it of {database['Engine']}")
    return ok("tags copied") if database["CopyTagsToSnapshot"] else fail("tags not copied")


@check(databases, severity="low")
def database_uses_iam_login(database: Resource) -> Verdict:
    """Database lets its users log in by IAM

    Whether they do, and whether passwords are still in use beside it, is not seen.

    Risk: every login is a password that is stored somewhere, shared and seldom changed.
    Fix: aws rds modify-db-instance --db-instance-identifier {name} --enable-iam-database-authentication;
        for a cluster aws rds modify-db-cluster
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
    Verified: 2026-11-25
    """
    if verdict := _by_cluster(database):
        return verdict
    if database["Engine"] not in IAM_ENGINES:
        return not_applicable(f"{database['Engine']} has no such setting")
    return ok("IAM login on") if database.get("IAMDatabaseAuthenticationEnabled") else fail("IAM login off")


@check(databases, severity="medium")
def database_certificate_is_current(database: Resource, *, at: datetime, min_days: int = 60) -> Verdict:
    """Database's server certificate is valid for some time yet

    Risk: when it expires, clients that check it can no longer connect, or are told to stop checking.
    Fix: update the clients' trust store, then aws rds modify-db-instance --db-instance-identifier {name}
        --ca-certificate-identifier CA
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL-certificate-rotation.html
    Verified: 2026-11-25
    """
    if _is_cluster(database) and "CertificateDetails" not in database:
        return not_applicable("each instance of the cluster has its own, and is tested itself")
    ends = instant((database.get("CertificateDetails") or {}).get("ValidTill"))
    if ends is None:
        return not_tested("AWS does not state how long its certificate is valid")
    stated = f"{database['CertificateDetails']['CAIdentifier']}, valid till {day(ends)}"
    if ends - at < timedelta(days=min_days):
        return fail(f"{stated}, less than {min_days} days after the test")
    return ok(stated)


@check(snapshots, severity="medium")
def snapshot_is_encrypted(snapshot: Resource) -> Verdict:
    """Manual database snapshot is encrypted

    Risk: whoever is given the snapshot, or takes it, can read the database.
    Fix: aws rds copy-db-snapshot --source-db-snapshot-identifier {name} --kms-key-id KEY
        --target-db-snapshot-identifier COPY; then delete the old one
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBSnapshot.html
    Verified: 2026-11-25
    """
    return _encrypted(snapshot, snapshot["Encrypted"])


@check(snapshots, severity="critical")
def snapshot_is_not_public(snapshot: Resource) -> Verdict:
    """Manual database snapshot can be restored by nobody outside who is not named

    Risk: anyone with an AWS account can restore the database and read it.
    Fix: aws rds modify-db-snapshot-attribute --db-snapshot-identifier {name} --attribute-name restore
        --values-to-remove all
    Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html
    Verified: 2026-11-25
    """
    if snapshot["Encrypted"]:
        return ok("encrypted, so it cannot be shared with everyone")
    accounts = [
        account
        for attribute in snapshot["Attributes"]
        if attribute["AttributeName"] == "restore"
        for account in attribute.get("AttributeValues", ())
    ]
    if "all" in accounts:
        return fail("everyone may restore it")
    return ok(f"shared with {', '.join(sorted(accounts))}" if accounts else "shared with nobody")
