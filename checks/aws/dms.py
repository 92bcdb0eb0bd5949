"""AWS Database Migration Service: replication instances, tasks and endpoints, and their tests.

The storage of replication instances is encrypted at all times.
https://docs.aws.amazon.com/dms/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

INSTANCE = (
    "AutoMinorVersionUpgrade",
    "EngineVersion",
    "KmsKeyId",
    "MultiAZ",
    "PubliclyAccessible",
    "ReplicationInstanceClass",
    "VpcSecurityGroups",
)
ENDPOINT = (
    "CertificateArn",
    "EndpointType",
    "EngineName",
    "KmsKeyId",
    "ServerName",
    "SslMode",
    "Username",
)
"""The engines' own settings are left out, because some hold passwords."""

PROTOCOL = {
    "kafka": ("KafkaSettings", "SecurityProtocol"),
    "redis": ("RedisSettings", "SslSecurityProtocol"),
}
"""Where the engines say how they encrypt that have no SSL mode."""

ALWAYS_TLS = ("dynamodb", "elasticsearch", "kinesis", "neptune", "opensearch", "redshift", "s3", "timestream")
"""Engines that DMS reaches by TLS without being told to: AWS's own interfaces, and Redshift.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Security.SSL.html
"""

STEPS = {
    "cdc": ("SOURCE_CAPTURE", "TARGET_APPLY"),
    "full-load": ("SOURCE_UNLOAD", "TARGET_LOAD"),
    "full-load-and-cdc": ("SOURCE_CAPTURE", "SOURCE_UNLOAD", "TARGET_APPLY", "TARGET_LOAD"),
}
"""The parts of a task that read the source and write the target, by its type of migration."""

TOO_FEW = ("LOGGER_SEVERITY_ERROR", "LOGGER_SEVERITY_WARNING", "LOGGER_SEVERITY_INFO")
"""Levels below DMS's own default.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.Logging.html
"""


@evidence(calls=["dms:DescribeReplicationInstances"], per="region")
def instances(aws: Any) -> Iterator[Resource]:
    """Every replication instance."""
    dms = aws.client("dms")
    for one in aws.pages(dms.describe_replication_instances, "ReplicationInstances"):
        yield resource(
            one["ReplicationInstanceArn"],
            name=one["ReplicationInstanceIdentifier"],
            config={key: value for key, value in one.items() if key in INSTANCE},
        )


@evidence(calls=["dms:DescribeReplicationTasks"], per="region")
def tasks(aws: Any) -> Iterator[Resource]:
    """Every replication task: what it logs, and whether it compares what it has copied."""
    dms = aws.client("dms")
    for task in aws.pages(dms.describe_replication_tasks, "ReplicationTasks"):
        yield resource(
            task["ReplicationTaskArn"],
            name=task["ReplicationTaskIdentifier"],
            config={
                "MigrationType": task["MigrationType"],
                "ReplicationInstanceArn": task["ReplicationInstanceArn"],
                "SourceEndpointArn": task["SourceEndpointArn"],
                "TargetEndpointArn": task["TargetEndpointArn"],
                "Settings": _settings(task["ReplicationTaskSettings"]),
            },
        )


def _settings(text: str) -> dict[str, Any]:
    settings = json.loads(text)
    return {key: settings.get(key) or {} for key in ("Logging", "ValidationSettings")}


@evidence(calls=["dms:DescribeEndpoints"], per="region")
def endpoints(aws: Any) -> Iterator[Resource]:
    """Every endpoint: the engine it stands for, and how the connection to it is encrypted."""
    for one in aws.pages(aws.client("dms").describe_endpoints, "Endpoints"):
        settings, field = PROTOCOL.get(one["EngineName"], ("", ""))
        protocol = {"Protocol": one.get(settings, {}).get(field)} if settings else {}
        yield resource(
            one["EndpointArn"],
            name=one["EndpointIdentifier"],
            config={**{key: value for key, value in one.items() if key in ENDPOINT}, **protocol},
        )


@check(instances, severity="high")
def instance_is_not_public(instance: Resource) -> Verdict:
    """DMS replication instance has no public address

    Risk: a host with logins to source and target databases can be tried from the internet.
    Fix: the setting is made with the instance: make one with --no-publicly-accessible and move the tasks of
        {name} to it with aws dms move-replication-task.
    Source: https://docs.aws.amazon.com/dms/latest/APIReference/API_ReplicationInstance.html
    Verified: 2026-11-25
    """
    return fail("publicly accessible") if instance["PubliclyAccessible"] else ok("not publicly accessible")


@check(instances, severity="low")
def instance_spans_zones(instance: Resource) -> Verdict:
    """DMS replication instance stands by in a second availability zone

    Risk: when the zone fails, replication stops, and what it was about to copy must be loaded anew.
    Fix: aws dms modify-replication-instance --replication-instance-arn ARN --multi-az
    Source: https://docs.aws.amazon.com/dms/latest/APIReference/API_ReplicationInstance.html
    Verified: 2026-11-25
    """
    return ok("Multi-AZ") if instance["MultiAZ"] else fail("in one zone only")


@check(endpoints, severity="medium")
def endpoint_uses_tls(endpoint: Resource) -> Verdict:
    """DMS reaches the database of an endpoint by TLS

    Native encryption of Oracle, which needs no SSL mode, is not seen.

    Risk: all of a database, and the password to it, passes through the network readable.
    Fix: aws dms modify-endpoint --endpoint-arn ARN --ssl-mode verify-full --certificate-arn CERTIFICATE; for
        Redis --redis-settings SslSecurityProtocol=ssl-encryption
    Source: https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Security.SSL.html
    Verified: 2026-11-25
    """
    engine = endpoint["EngineName"]
    if engine in ALWAYS_TLS:
        return not_applicable(f"DMS reaches {engine} by TLS at all times")
    if engine in PROTOCOL:
        # Kafka is reached without TLS where no protocol is set, Redis with it.
        protocol = endpoint["Protocol"] or {"kafka": "plaintext", "redis": "ssl-encryption"}[engine]
        stated = f"{engine}, protocol {protocol}"
        return fail(stated) if protocol == "plaintext" else ok(stated)
    mode = endpoint.get("SslMode", "none")  # the default that the API states
    stated = f"{engine}, SSL mode {mode}"
    return fail(stated) if mode == "none" else ok(stated)


@check(tasks, severity="low")
def task_logs_both_ends(task: Resource) -> Verdict:
    """DMS task logs what it reads from the source and writes to the target

    Risk: rows that were skipped or refused go unnoticed, and nobody can find out why.
    Fix: aws dms modify-replication-task --replication-task-arn ARN --replication-task-settings FILE, with
        EnableLogging true and the parts named in the result at LOGGER_SEVERITY_DEFAULT
    Source: https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.Logging.html
    Verified: 2026-11-25
    """
    logging = task["Settings"]["Logging"]
    if not logging.get("EnableLogging"):
        return fail("logging off")
    levels = {one["Id"]: one["Severity"] for one in logging.get("LogComponents") or ()}
    thin = [
        f"{step} {levels.get(step, 'not set')}"
        for step in STEPS[task["MigrationType"]]
        if levels.get(step, TOO_FEW[0]) in TOO_FEW
    ]
    return fail(f"logs too little: {', '.join(thin)}") if thin else ok("source and target logged")


@check(tasks, severity="low")
def task_validates_data(task: Resource) -> Verdict:
    """DMS task compares the target with the source

    Risk: rows that were lost or changed on the way are found by those who need them.
    Fix: aws dms modify-replication-task --replication-task-arn ARN --replication-task-settings
        {"ValidationSettings":{"EnableValidation":true}}
    Source: https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Validating.html
    Verified: 2026-11-25
    """
    on = task["Settings"]["ValidationSettings"].get("EnableValidation")
    return ok("validation on") if on else fail("validation off")
