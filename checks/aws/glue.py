"""AWS Glue: the Data Catalog, jobs, connections, development endpoints and transforms, and their tests.

https://docs.aws.amazon.com/glue/latest/webapi/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from checks._secrets import is_redacted, known_kind, shown, suggests_secret
from checks.aws._listed import listed
from checks.aws._policy import open_to_nobody_unknown
from collector.sdk import (
    NotCollected,
    NotCollectedError,
    Reason,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)

JOB = (
    "Connections",
    "ExecutionClass",
    "GlueVersion",
    "LogUri",
    "Role",
    "SecurityConfiguration",
    "WorkerType",
)
ENDPOINT = ("GlueVersion", "PublicAddress", "RoleArn", "SecurityConfiguration", "SubnetId", "VpcId")

SHOWN = frozenset(
    {
        "AUTHENTICATION_TYPE",
        "CONNECTION_URL",
        "HOST",
        "JDBC_CONNECTION_URL",
        "JDBC_ENFORCE_SSL",
        "KAFKA_BOOTSTRAP_SERVERS",
        "KAFKA_SASL_MECHANISM",
        "KAFKA_SASL_SCRAM_SECRETS_ARN",
        "KAFKA_SSL_ENABLED",
        "SECRET_ID",
        "USERNAME",
    }
)
"""Properties of a connection that are kept; Glue is asked to hide passwords besides."""

GLUES_OWN = frozenset(
    {
        "--continuous-log-logGroup",
        "--enable-continuous-cloudwatch-log",
        "--enable-metrics",
        "--encryption-type",
        "--job-bookmark-option",
        "--job-language",
    }
)
"""Arguments that Glue itself reads, and that hold no secret.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
"""

MAY_LOG_IN = re.compile("[@?;]")
"""Marks of an address with a name before the host, or with options behind it: either may hold a password."""

WITH_TLS = {"JDBC": ("JDBC_ENFORCE_SSL", "false"), "KAFKA": ("KAFKA_SSL_ENABLED", "true")}
"""By type of connection, the property that asks for TLS and its default.

https://docs.aws.amazon.com/glue/latest/webapi/API_Connection.html
"""

LOGS_ALWAYS = 5.0
"""The version of Glue since which every job writes its log as it runs.

https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
"""


@evidence(
    calls=["glue:GetDataCatalogEncryptionSettings", "glue:GetDatabases", "glue:GetResourcePolicy"],
    per="region",
)
def catalogs(aws: Any) -> Iterator[Resource]:
    """The account's Data Catalog in the region: its encryption, its policy, whether it holds databases."""
    glue = aws.client("glue")
    databases = aws.get(glue.get_databases, "DatabaseList", MaxResults=1)
    yield resource(
        f"arn:aws:glue:{aws.region}:{aws.account}:catalog",
        name=f"Data Catalog {aws.region}",
        config={
            "Encryption": aws.get(glue.get_data_catalog_encryption_settings, "DataCatalogEncryptionSettings"),
            "InUse": databases if isinstance(databases, NotCollected) else bool(databases),
            "Policy": aws.get(glue.get_resource_policy, "PolicyInJson", absent="EntityNotFoundException"),
        },
    )


@evidence(calls=["glue:GetConnections"], per="region")
def connections(aws: Any) -> Iterator[Resource]:
    """Every connection to a source of data, without its password."""
    glue = aws.client("glue")
    for one in aws.pages(glue.get_connections, "ConnectionList", HidePassword=True):
        properties = one.get("ConnectionProperties", {})
        yield resource(
            f"arn:aws:glue:{aws.region}:{aws.account}:connection/{one['Name']}",
            config={
                "ConnectionType": one["ConnectionType"],
                "Properties": {
                    key: aws.redact(value) if key.endswith("URL") and MAY_LOG_IN.search(value) else value
                    for key, value in properties.items()
                    if key in SHOWN
                },
                "Authentication": (one.get("AuthenticationConfiguration") or {}).get("AuthenticationType"),
            },
        )


@evidence(calls=["glue:GetJobs"], per="region")
def jobs(aws: Any) -> Iterator[Resource]:
    """Every job: its security configuration, and the arguments it is started with, redacted."""
    for job in aws.pages(aws.client("glue").get_jobs, "Jobs"):
        arguments = job.get("DefaultArguments", {}) | job.get("NonOverridableArguments", {})
        yield resource(
            f"arn:aws:glue:{aws.region}:{aws.account}:job/{job['Name']}",
            config={
                **{key: value for key, value in job.items() if key in JOB},
                "Command": job.get("Command", {}).get("Name"),
                "Arguments": {
                    name: value if name in GLUES_OWN else shown(value, aws.redact)
                    for name, value in arguments.items()
                },
            },
        )


@evidence(calls=["glue:GetSecurityConfigurations"], per="region")
def security_configurations(aws: Any) -> Iterator[Resource]:
    """Every security configuration: how those that use it encrypt what they write."""
    for one in aws.pages(aws.client("glue").get_security_configurations, "SecurityConfigurations"):
        yield resource(
            f"arn:aws:glue:{aws.region}:{aws.account}:security-configuration/{one['Name']}",
            config={"Name": one["Name"], "Encryption": one["EncryptionConfiguration"]},
        )


@evidence(calls=["glue:GetDevEndpoints"], per="region")
def development_endpoints(aws: Any) -> Iterator[Resource]:
    """Every development endpoint: its security configuration and its address."""
    for one in aws.pages(aws.client("glue").get_dev_endpoints, "DevEndpoints"):
        yield resource(
            f"arn:aws:glue:{aws.region}:{aws.account}:devEndpoint/{one['EndpointName']}",
            config={key: value for key, value in one.items() if key in ENDPOINT},
        )


@evidence(calls=["glue:GetMLTransforms"], per="region")
def transforms(aws: Any) -> Iterator[Resource]:
    """Every machine learning transform: how it encrypts what it learns from."""
    for one in listed(aws.client("glue").get_ml_transforms, "Transforms", "NextToken"):
        yield resource(
            f"arn:aws:glue:{aws.region}:{aws.account}:mlTransform/{one['TransformId']}",
            name=one["Name"],
            config={"Encryption": one.get("TransformEncryption", {}), "GlueVersion": one.get("GlueVersion")},
        )


@check(catalogs, severity="high")
def catalog_is_not_public(catalog: Resource) -> Verdict:
    """Glue Data Catalog is open to nobody unknown

    Risk: anyone can read or change what tables there are, and where their data lie.
    Fix: name principals in the statement given in the result: aws glue put-resource-policy
        --policy-in-json FILE
    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_GetResourcePolicy.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown(catalog["Policy"], "no policy: the account's own principals only")


@check(catalogs, severity="low")
def catalog_is_encrypted(catalog: Resource) -> Verdict:
    """Glue Data Catalog encrypts what it says of tables under a KMS key

    Risk: names, places and partitions of all data are readable without a right to any key.
    Fix: aws glue put-data-catalog-encryption-settings --data-catalog-encryption-settings
        EncryptionAtRest={CatalogEncryptionMode=SSE-KMS,SseAwsKmsKeyId=KEY}
    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_EncryptionAtRest.html
    Verified: 2026-11-25
    """
    if not catalog["InUse"]:
        return not_applicable("the catalog holds no database")
    settings = catalog["Encryption"]["EncryptionAtRest"]
    mode = settings["CatalogEncryptionMode"]
    # What is encrypted without a named key is so under the key aws/glue.
    stated = f"{mode}, key {settings.get('SseAwsKmsKeyId') or 'aws/glue'}"
    return fail("metadata encryption DISABLED") if mode == "DISABLED" else ok(stated)


@check(catalogs, connections, severity="medium")
def catalog_encrypts_passwords(catalog: Resource, *, connections: list[Resource]) -> Verdict:
    """Glue Data Catalog encrypts the passwords of its connections under a KMS key

    Risk: whoever may read a connection reads the password of the database.
    Fix: aws glue put-data-catalog-encryption-settings --data-catalog-encryption-settings
        ConnectionPasswordEncryption={ReturnConnectionPasswordEncrypted=true,AwsKmsKeyId=KEY}
    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_ConnectionPasswordEncryption.html
    Verified: 2026-11-25
    """
    if catalog["Encryption"]["ConnectionPasswordEncryption"]["ReturnConnectionPasswordEncrypted"]:
        return ok("connection passwords encrypted")
    if not any(_keeps_password(one) for one in connections):
        return not_applicable("no connection keeps a password in the catalog")
    return fail("connection passwords not encrypted")


def _keeps_password(connection: Resource) -> bool:
    """Whether a connection logs in by a name whose password is not in Secrets Manager."""
    properties = connection["Properties"]
    return "USERNAME" in properties and "SECRET_ID" not in properties


@check(connections, severity="low")
def connection_keeps_no_password(connection: Resource) -> Verdict:
    """Glue connection takes its password from Secrets Manager

    Risk: a password in the catalog is not rotated, and is read by whoever may read connections.
    Fix: store name and password in Secrets Manager, and give the connection SECRET_ID instead of USERNAME
        and PASSWORD: aws glue update-connection --name {name} --connection-input FILE
    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_Connection.html
    Verified: 2026-11-25
    """
    properties = connection["Properties"]
    if _keeps_password(connection):
        return fail("name and password are kept in the catalog")
    if secret := properties.get("SECRET_ID") or properties.get("KAFKA_SASL_SCRAM_SECRETS_ARN"):
        return ok(f"secret {secret}")
    return not_applicable("the connection states no name to log in by")


@check(connections, severity="medium")
def connection_requires_tls(connection: Resource) -> Verdict:
    """Glue connection insists on TLS

    Of JDBC and Kafka connections; others state no such thing.

    Risk: passwords and data can be read and changed on their way to the job.
    Fix: aws glue update-connection --name {name} --connection-input FILE, with JDBC_ENFORCE_SSL true or
        KAFKA_SSL_ENABLED true
    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_Connection.html
    Verified: 2026-11-25
    """
    kind = connection["ConnectionType"]
    if kind not in WITH_TLS:
        return not_applicable(f"{kind} connections do not state it")
    name, default = WITH_TLS[kind]
    value = connection["Properties"].get(name)
    stated = f"{name}={value}" if value else f"{name} not set, which is {default}"
    return ok(stated) if (value or default).lower() == "true" else fail(stated)


@check(jobs, security_configurations, severity="medium")
def job_encrypts_what_it_writes(job: Resource, *, security_configurations: list[Resource]) -> Verdict:
    """Glue job encrypts what it writes: to S3, to its log and in its bookmarks

    Its security configuration says so. Objects are encrypted by S3 in any case, by the bucket's default.

    Risk: results and log hold the same data as the source, with less protection than it.
    Fix: aws glue create-security-configuration ..., then aws glue update-job --job-name {name} --job-update
        SecurityConfiguration=NAME,...
    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_EncryptionConfiguration.html
    Verified: 2026-11-25
    """
    return _encrypts(job, security_configurations)


@check(development_endpoints, security_configurations, severity="medium")
def endpoint_encrypts_what_it_writes(
    endpoint: Resource, *, security_configurations: list[Resource]
) -> Verdict:
    """Glue development endpoint encrypts what it writes: to S3, to its log and in its bookmarks

    Risk: results and log hold the same data as the source, with less protection than it.
    Fix: the configuration is chosen when an endpoint is made: make one with --security-configuration NAME.
    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_DevEndpoint.html
    Verified: 2026-11-25
    """
    return _encrypts(endpoint, security_configurations)


def _encrypts(user: Resource, configurations: list[Resource]) -> Verdict:
    name = user.get("SecurityConfiguration")
    if not name:
        return fail("no security configuration")
    off = _unencrypted(next((one for one in configurations if one["Name"] == name), None), name)
    return fail(f"{name} leaves {', '.join(off)} unencrypted") if off else ok(f"encrypts by {name}")


def _unencrypted(configuration: Resource | None, name: str) -> list[str]:
    if configuration is None:
        raise NotCollectedError(Reason.NOT_SEEN, f"security configuration {name} was not among those read")
    encryption = configuration["Encryption"]
    modes = {
        "S3": [one["S3EncryptionMode"] for one in encryption.get("S3Encryption") or ()],
        "CloudWatch": [(encryption.get("CloudWatchEncryption") or {}).get("CloudWatchEncryptionMode")],
        "job bookmarks": [(encryption.get("JobBookmarksEncryption") or {}).get("JobBookmarksEncryptionMode")],
    }
    return [what for what, found in modes.items() if not found or {None, "DISABLED"} & set(found)]


@check(jobs, severity="low")
def job_logs_as_it_runs(job: Resource) -> Verdict:
    """Glue job writes its log to CloudWatch as it runs

    Risk: of a job that fails or is killed, nobody can say what it did.
    Fix: aws glue update-job --job-name {name} --job-update FILE, with the default argument
        --enable-continuous-cloudwatch-log true; or a GlueVersion of 5.0 or later
    Source: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging-enable.html
    Verified: 2026-11-25
    """
    if job["Command"] == "pythonshell":
        return not_applicable("Python shell jobs write to CloudWatch at all times")
    asked = job["Arguments"].get("--enable-continuous-cloudwatch-log", "not set")
    if asked == "true":
        return ok("continuous logging on")
    version = job.get("GlueVersion", "0.9")
    if float(version) >= LOGS_ALWAYS:
        return ok(f"Glue {version}, which logs at all times")
    return fail(f"Glue {version}, continuous logging {asked}")


@check(jobs, severity="high")
def job_arguments_hold_no_known_secret(job: Resource) -> Verdict:
    """Glue job's arguments hold nothing that has the form of a secret

    Access keys, tokens, private keys and passwords in URLs are told by their form.

    Risk: everyone who may list jobs or their runs reads the secret, and it is never rotated.
    Fix: store it in Secrets Manager, let the job fetch it, remove the argument and replace the secret.
    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_Job.html
    Verified: 2026-11-25
    """
    found = _named(job["Arguments"], known_kind)
    return fail(f"secrets in {found}") if found else ok("no argument has the form of a known kind of secret")


@check(jobs, severity="low")
def job_arguments_name_no_secret(job: Resource) -> Verdict:
    """Glue job's arguments are not named like secrets

    Judges names, so it can be wrong: an argument named so whose value is an ARN, true, false or empty is
    let by.

    Risk: a password or token in an argument is read by everyone who may list jobs.
    Fix: keep the value in Secrets Manager and put the secret's ARN into the argument.
    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_Job.html
    Verified: 2026-11-25
    """
    suspects = {name: value for name, value in job["Arguments"].items() if suggests_secret(name)}
    found = _named(suspects, lambda value: "named so" if is_redacted(value) else "")
    return fail(f"values in {found}") if found else ok("no argument is named like a secret")


def _named(arguments: Mapping[str, str], judge: Any) -> str:
    return ", ".join(
        f"{name} ({verdict})" for name, value in sorted(arguments.items()) if (verdict := judge(value))
    )


@check(transforms, severity="low")
def transform_is_encrypted(transform: Resource) -> Verdict:
    """Glue machine learning transform encrypts what it was taught with

    Risk: labels, which are rows of real data, lie in the service without a key of the company.
    Fix: it is set when a transform is made: make one with --transform-encryption
        MlUserDataEncryption={MlUserDataEncryptionMode=SSE-KMS,KmsKeyId=KEY}
    Source: https://docs.aws.amazon.com/glue/latest/webapi/API_TransformEncryption.html
    Verified: 2026-11-25
    """
    settings = transform["Encryption"].get("MlUserDataEncryption") or {}
    mode = settings.get("MlUserDataEncryptionMode", "DISABLED")
    return fail("encryption DISABLED") if mode == "DISABLED" else ok(f"encryption {mode}")
