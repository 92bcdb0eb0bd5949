"""Cloud SQL: instances, their network, backups and flags.

A flag that is not set has Cloud SQL's default, which is not always that of the database's makers: it is
judged only where a source that speaks of Cloud SQL names it.

https://cloud.google.com/sql/docs/mysql/admin-api/rest/v1/instances
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from checks.gcp._names import without
from checks.gcp._own_key import under_own_key
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
    resource,
)

VOLATILE = (
    "availableMaintenanceVersions",
    "currentDiskSize",
    "outOfDiskReport",
    "scheduledMaintenance",
    "serverCaCert",
    "upgradableDatabaseVersions",
)

MAKERS_SUPPORT = {
    "MYSQL_5_5": "2018-12-31",
    "MYSQL_5_6": "2021-02-28",
    "MYSQL_5_7": "2023-10-31",
    "MYSQL_8_0": "2026-04-30",
    "MYSQL_8_4": "2032-04-30",
    "POSTGRES_9_6": "2021-11-11",
    "POSTGRES_10": "2022-11-10",
    "POSTGRES_11": "2023-11-09",
    "POSTGRES_12": "2024-11-21",
    "POSTGRES_13": "2025-11-13",
    "POSTGRES_14": "2026-11-12",
    "POSTGRES_15": "2027-11-11",
    "POSTGRES_16": "2028-11-09",
    "POSTGRES_17": "2029-11-08",
    "POSTGRES_18": "2030-11-14",
    "SQLSERVER_2017": "2027-10-12",
    "SQLSERVER_2019": "2030-01-08",
    "SQLSERVER_2022": "2033-01-11",
    "SQLSERVER_2025": "2036-01-06",
}
"""The day until which the makers of each engine mend it; then only Google does, for a time and for pay.

Of MySQL and SQL Server it is the end of their extended support.

https://endoflife.date
https://www.postgresql.org/support/versioning/
https://www.oracle.com/support/lifetime-support/
https://learn.microsoft.com/en-us/lifecycle/products/
https://cloud.google.com/sql/docs/postgres/extended-support
"""

TABLE_OF = "2026-11-25"
"""When the table above was last looked over."""

REPLICAS = ("READ_REPLICA_INSTANCE", "READ_POOL_INSTANCE")

SECRETS = ("password", "clientKey", "rootPassword")


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def instances(gcp: Any) -> Iterator[Resource]:
    """Every instance with its settings, less what Google reports of upgrades, disk use and certificates."""
    for asset in gcp.assets("sqladmin.googleapis.com/Instance"):
        data = asset["resource"]["data"]
        settings = {
            key: value for key, value in (data.get("settings") or {}).items() if key != "settingsVersion"
        }
        yield resource(
            asset["name"],
            config={
                **_redacted(without(data, "rootPassword", *VOLATILE), gcp.redact),
                "settings": settings,
            },
        )


def _redacted(value: Any, redact: Any) -> Any:
    """The configuration with passwords and private keys of replication replaced, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: redact(str(one)) if key in SECRETS and one else _redacted(one, redact)
            for key, one in value.items()
        }
    return [_redacted(one, redact) for one in value] if isinstance(value, list) else value


def _elsewhere(instance: Resource) -> Verdict | None:
    """The verdict on what only stands for a database that runs outside Google Cloud."""
    if instance.get("instanceType") == "ON_PREMISES_INSTANCE":
        return not_applicable("stands for a database outside Google Cloud")
    return None


def _replica(instance: Resource) -> Verdict | None:
    """The verdict on a replica where its primary decides."""
    if instance.get("instanceType") in REPLICAS:
        return not_applicable(f"replica of {instance.get('masterInstanceName')}")
    return _elsewhere(instance)


def _addresses(instance: Resource) -> Mapping[str, Any]:
    return instance["settings"].get("ipConfiguration") or {}


def _backups(instance: Resource) -> Mapping[str, Any]:
    return instance["settings"].get("backupConfiguration") or {}


@check(instances, severity="high")
def instance_requires_tls(instance: Resource) -> Verdict:
    """Cloud SQL instance refuses connections without TLS

    Risk: passwords and data can be read on the way.
    Fix: gcloud sql instances patch {name} --ssl-mode=ENCRYPTED_ONLY
    Source: https://cloud.google.com/sql/docs/postgres/configure-ssl-instance
    Verified: 2026-11-25, fields and values, by the discovery document of sqladmin v1.
    """
    if outside := _elsewhere(instance):
        return outside
    addresses = _addresses(instance)
    mode = addresses.get("sslMode", "SSL_MODE_UNSPECIFIED")
    # sslMode has priority; requireSsl alone is how it was said before.
    if mode == "SSL_MODE_UNSPECIFIED" and addresses.get("requireSsl"):
        return ok("requireSsl on")
    if mode in ("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"):
        return ok(f"sslMode {mode}")
    if instance["settings"].get("connectorEnforcement") == "REQUIRED":
        return ok("only connections by Cloud SQL's connectors, which use TLS")
    return fail(f"sslMode {mode}, requireSsl off")


@check(instances, severity="critical")
def instance_is_not_open_to_everyone(instance: Resource, *, min_prefix: int = 8) -> Verdict:
    """Cloud SQL instance lets in no network as large as the internet

    `min_prefix` is the shortest prefix of an authorised IPv4 network; of an IPv6 network it is four times
    that.

    Risk: anyone can try passwords, and use weaknesses of the engine.
    Fix: gcloud sql instances patch {name} --authorized-networks=203.0.113.0/24
    Source: https://cloud.google.com/sql/docs/mysql/authorize-networks
    Verified: 2026-11-25, fields and values, by the discovery document of sqladmin v1.
    """
    if outside := _elsewhere(instance):
        return outside
    addresses = _addresses(instance)
    if not addresses.get("ipv4Enabled"):
        return ok("no public address")
    if instance["settings"].get("connectorEnforcement") == "REQUIRED":
        return ok("only connections by Cloud SQL's connectors: authorised networks have no effect")
    networks = [one["value"] for one in addresses.get("authorizedNetworks") or ()]
    wide = [one for one in networks if _is_wide(one, min_prefix)]
    if wide:
        return fail(f"authorised network {', '.join(sorted(wide))}")
    return ok(f"authorised networks: {', '.join(sorted(networks)) or 'none'}")


def _is_wide(network: str, min_prefix: int) -> bool:
    parsed = ip_network(network, strict=False)
    return parsed.prefixlen < (min_prefix if parsed.version == 4 else 4 * min_prefix)


@check(instances, severity="medium")
def instance_has_no_public_address(instance: Resource) -> Verdict:
    """Cloud SQL instance has no public address

    Risk: only the list of authorised networks and passwords stand between the internet and the data.
    Fix: gcloud sql instances patch {name} --network=NETWORK --no-assign-ip
    Source: https://cloud.google.com/sql/docs/mysql/configure-private-ip
    Verified: 2026-11-25, fields and values, by the discovery document of sqladmin v1.
    """
    if outside := _elsewhere(instance):
        return outside
    if not _addresses(instance).get("ipv4Enabled"):
        return ok("no public address")
    found = [one.get("ipAddress") for one in instance.get("ipAddresses", ()) if one.get("type") == "PRIMARY"]
    return fail(f"public address {', '.join(str(one) for one in found) or 'enabled'}")


@check(instances, severity="high")
def instance_is_backed_up(instance: Resource, *, min_backups: int = 7) -> Verdict:
    """Cloud SQL instance is backed up by itself, and backups are kept

    Risk: after a deletion, a fault or an attack the data is gone.
    Fix: gcloud sql instances patch {name} --backup-start-time=02:00 --retained-backups-count=7
    Source: https://cloud.google.com/sql/docs/mysql/backup-recovery/backing-up
    Verified: 2026-11-25, fields and values, by the discovery document of sqladmin v1.
    """
    if replica := _replica(instance):
        return replica
    backups = _backups(instance)
    if backups.get("backupTier") == "ENHANCED":
        return ok("backups by a plan of Backup and DR")
    if not backups.get("enabled"):
        return fail("automated backups off")
    kept = (backups.get("backupRetentionSettings") or {}).get("retainedBackups")
    if kept is None:
        return ok("automated backups on")
    return ok(f"{kept} backups kept") if kept >= min_backups else fail(f"{kept} kept; at least {min_backups}")


@check(instances, severity="medium")
def instance_recovers_to_a_point_in_time(instance: Resource) -> Verdict:
    """Cloud SQL instance can be restored to any moment

    Risk: what was written since the last nightly backup is lost.
    Fix: gcloud sql instances patch {name} --enable-point-in-time-recovery (MySQL: --enable-bin-log)
    Source: https://cloud.google.com/sql/docs/mysql/backup-recovery/pitr
    Verified: 2026-11-25, fields and values, by the discovery document of sqladmin v1.
    """
    if replica := _replica(instance):
        return replica
    field = "binaryLogEnabled" if _engine(instance) == "MYSQL" else "pointInTimeRecoveryEnabled"
    return ok(f"{field} on") if _backups(instance).get(field) else fail(f"{field} off")


@check(instances, severity="medium")
def instance_spans_zones(instance: Resource) -> Verdict:
    """Cloud SQL instance has a standby in a second zone

    Risk: the loss of a zone takes the database away until somebody restores it elsewhere.
    Fix: gcloud sql instances patch {name} --availability-type=REGIONAL
    Source: https://cloud.google.com/sql/docs/mysql/high-availability
    Verified: 2026-11-25, fields and values, by the discovery document of sqladmin v1.
    """
    if replica := _replica(instance):
        return replica
    kind = instance["settings"].get("availabilityType", "ZONAL")  # the documented default
    return ok(f"availability {kind}") if kind == "REGIONAL" else fail(f"availability {kind}")


@check(instances, severity="medium")
def instance_is_protected_from_deletion(instance: Resource) -> Verdict:
    """Cloud SQL instance is protected from deletion

    Risk: one mistaken command, or one stolen account, deletes the database.
    Fix: gcloud sql instances patch {name} --deletion-protection
    Source: https://cloud.google.com/sql/docs/mysql/deletion-protection
    Verified: 2026-11-25, fields and values, by the discovery document of sqladmin v1.
    """
    if replica := _replica(instance):
        return replica
    on = instance["settings"].get("deletionProtectionEnabled")
    return ok("deletion protection on") if on else fail("deletion protection off")


@check(instances, severity="low")
def instance_storage_grows(instance: Resource) -> Verdict:
    """Cloud SQL instance gets more storage before it runs out

    Risk: a full disk stops the database.
    Fix: gcloud sql instances patch {name} --storage-auto-increase
    Source: https://cloud.google.com/sql/docs/mysql/instance-settings
    Verified: 2026-11-25, fields and values, by the discovery document of sqladmin v1.
    """
    if outside := _elsewhere(instance):
        return outside
    on = instance["settings"].get("storageAutoResize")
    if not on:
        return fail("automatic storage increase off")
    limit = int(instance["settings"].get("storageAutoResizeLimit") or 0)
    return ok(f"automatic storage increase on, {f'up to {limit} GB' if limit else 'without a limit'}")


@check(instances, severity="low")
def instance_is_encrypted_under_own_key(instance: Resource) -> Verdict:
    """Cloud SQL instance is encrypted under a key of one's own

    Google encrypts every instance in any case.

    Risk: access to the data cannot be withdrawn, or its use seen, by way of the key.
    Fix: the key is chosen when an instance is made: gcloud sql instances create NAME
        --disk-encryption-key=KEY
    Source: https://cloud.google.com/sql/docs/mysql/cmek
    Verified: 2026-11-25, fields and values, by the discovery document of sqladmin v1.
    """
    if outside := _elsewhere(instance):
        return outside
    return under_own_key((instance.get("diskEncryptionConfiguration") or {}).get("kmsKeyName"))


@check(instances, severity="low")
def instance_allows_iam_login(instance: Resource) -> Verdict:
    """Cloud SQL instance lets people and services log in by IAM

    Risk: every client keeps a database password that nobody rotates or takes back.
    Fix: gcloud sql instances patch {name} --database-flags=cloudsql.iam_authentication=on (MySQL:
        cloudsql_iam_authentication=on), with the flags that are set already
    Source: https://cloud.google.com/sql/docs/postgres/iam-authentication
    Verified: 2026-11-25, the flags and their default, by published pages of others.
    """
    engine = _engine(instance)
    if engine == "SQLSERVER":
        return not_applicable("SQL Server has no login by IAM")
    name = "cloudsql_iam_authentication" if engine == "MYSQL" else "cloudsql.iam_authentication"
    return _flag(instance, engine, name, ("on",), default="off")


@check(instances, severity="low")
def instance_enforces_password_rules(instance: Resource, *, min_length: int = 12) -> Verdict:
    """Cloud SQL instance enforces rules for passwords of its users

    Risk: short passwords of database users are guessed.
    Fix: gcloud sql instances patch {name} --enable-password-policy --password-policy-min-length=12
        --password-policy-complexity=COMPLEXITY_DEFAULT
    Source: https://cloud.google.com/sql/docs/postgres/built-in-authentication
    Verified: 2026-11-25, fields and values, by the discovery document of sqladmin v1.
    """
    if replica := _replica(instance):
        return replica
    if _engine(instance) == "SQLSERVER":
        return not_applicable("SQL Server enforces Windows' rules for passwords")
    policy = instance["settings"].get("passwordValidationPolicy") or {}
    if not policy.get("enablePasswordPolicy"):
        return fail("no password policy")
    length = policy.get("minLength", 0)
    sentence = f"length at least {length}, complexity {policy.get('complexity', 'not set')}"
    return ok(sentence) if length >= min_length else fail(f"{sentence}; {min_length} wanted")


@check(instances, severity="medium")
def instance_engine_is_supported(instance: Resource, *, at: datetime) -> Verdict:
    """Cloud SQL instance runs a version that its makers still mend

    Google's extended support, which costs extra, is not counted.

    Risk: vulnerabilities found in the engine are mended late or not at all, and one day Google upgrades it.
    Fix: gcloud sql instances patch {name} --database-version=NEWER, after testing on a clone.
    Source: https://cloud.google.com/sql/docs/postgres/db-versions
    Verified: 2026-11-25, days by endoflife.date's tables; versions by sqladmin v1's discovery document.
    """
    if outside := _elsewhere(instance):
        return outside
    version = str(instance["databaseVersion"])
    known = next((one for one in MAKERS_SUPPORT if f"{version}_".startswith(f"{one}_")), None)
    if known is None:
        return not_tested(f"{version} is not in the table of {TABLE_OF}")
    until = MAKERS_SUPPORT[known]
    sentence = f"{version}, supported by its makers until {until}"
    return ok(sentence) if day(at) <= until else fail(sentence)


def _engine(instance: Resource) -> str:
    """`MYSQL`, `POSTGRES` or `SQLSERVER`."""
    return str(instance["databaseVersion"]).partition("_")[0]


def _flag(
    instance: Resource, engine: str, name: str, wanted: tuple[str, ...], *, default: str | None = None
) -> Verdict:
    """Whether a flag of an engine has a wanted value. `default` is what it has if not set, if known."""
    if outside := _elsewhere(instance):
        return outside
    if _engine(instance) != engine:
        return not_applicable(f"{instance['databaseVersion']}: the flag is for {engine}")
    flags = {
        one["name"]: str(one.get("value", "")) for one in instance["settings"].get("databaseFlags") or ()
    }
    value = flags.get(name, default)
    if value is None:
        return not_tested(f"{name} is not set, and its default is not certain")
    sentence = f"{name} {value}" + ("" if name in flags else ", the default")
    return ok(sentence) if value.lower() in wanted else fail(sentence)


def _worst(*verdicts: Verdict) -> Verdict:
    """One verdict for several flags of an engine: what failed if anything did, else what is not certain."""
    told = next(
        (
            found
            for bad in ("fail", "not_tested")
            if (found := [one for one in verdicts if one.outcome == bad])
        ),
        list(verdicts),
    )
    sentence = "; ".join(dict.fromkeys(one.sentence for one in told))
    return replace(told[0], sentence=sentence)


@check(instances, severity="medium")
def postgres_logs_connections(instance: Resource) -> Verdict:
    """PostgreSQL instance logs who connects and disconnects

    Risk: nobody can say afterwards who was in the database, and when.
    Fix: gcloud sql instances patch {name} --database-flags=log_connections=on,log_disconnections=on, with the
        flags that are set already
    Source: https://cloud.google.com/sql/docs/postgres/flags
    Verified: 2026-11-25, the flags and their default, by published copies of the CIS benchmark.
    """
    return _worst(
        _flag(instance, "POSTGRES", "log_connections", ("on", "all"), default="off"),
        _flag(instance, "POSTGRES", "log_disconnections", ("on",), default="off"),
    )


@check(instances, severity="medium")
def postgres_logs_statements(instance: Resource) -> Verdict:
    """PostgreSQL instance logs at least the statements that change its structure

    Risk: a table dropped or a right granted leaves no trace.
    Fix: gcloud sql instances patch {name} --database-flags=log_statement=ddl, with the flags that are set
        already
    Source: https://cloud.google.com/sql/docs/postgres/flags
    Verified: 2026-11-25, the flag, by published copies of the CIS benchmark; its default is not settled.
    """
    return _flag(instance, "POSTGRES", "log_statement", ("ddl", "mod", "all"))


@check(instances, severity="low")
def postgres_logs_errors(instance: Resource) -> Verdict:
    """PostgreSQL instance logs warnings, errors and the statements that caused them

    Risk: failed attempts and their statements are not in the log.
    Fix: gcloud sql instances patch {name} --database-flags=log_min_messages=warning,
        log_min_error_statement=error,log_error_verbosity=default, with the flags that are set already
    Source: https://cloud.google.com/sql/docs/postgres/flags
    Verified: 2026-11-25, flags, levels and the one default used, by copies of the CIS benchmark.
    """
    chatty = ("debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning")
    return _worst(
        _flag(instance, "POSTGRES", "log_min_messages", chatty),
        _flag(instance, "POSTGRES", "log_min_error_statement", (*chatty, "error"), default="error"),
        _flag(instance, "POSTGRES", "log_error_verbosity", ("default", "verbose")),
    )


@check(instances, severity="low")
def postgres_keeps_slow_statements_out_of_the_log(instance: Resource) -> Verdict:
    """PostgreSQL instance does not log statements because they are slow

    Such lines hold the statement with its values.

    Risk: personal data and secrets in statements end in the log.
    Fix: gcloud sql instances patch {name} --database-flags=log_min_duration_statement=-1, with the flags that
        are set already
    Source: https://cloud.google.com/sql/docs/postgres/flags
    Verified: 2026-11-25, the flag and its default, by published copies of the CIS benchmark.
    """
    return _flag(instance, "POSTGRES", "log_min_duration_statement", ("-1",), default="-1")


@check(instances, severity="medium")
def postgres_audits_access(instance: Resource) -> Verdict:
    """PostgreSQL instance has the audit extension on

    Risk: reads of sensitive tables leave no trace.
    Fix: gcloud sql instances patch {name} --database-flags=cloudsql.enable_pgaudit=on, with the flags that
        are set already; then CREATE EXTENSION pgaudit in each database, and set pgaudit.log
    Source: https://cloud.google.com/sql/docs/postgres/pg-audit
    Verified: 2026-11-25, by Google's page of pgAudit: the flag is the first step to turn it on.
    """
    return _flag(instance, "POSTGRES", "cloudsql.enable_pgaudit", ("on",), default="off")


@check(instances, severity="low")
def mysql_hides_databases(instance: Resource) -> Verdict:
    """MySQL instance shows its list of databases only to those with the right

    Risk: any user of one database learns what else is there.
    Fix: gcloud sql instances patch {name} --database-flags=skip_show_database=on, with the flags that are set
        already
    Source: https://cloud.google.com/sql/docs/mysql/flags
    Verified: 2026-11-25, the flag, by published copies of the CIS benchmark; its default is not settled.
    """
    return _flag(instance, "MYSQL", "skip_show_database", ("on",))


@check(instances, severity="medium")
def mysql_loads_no_local_files(instance: Resource) -> Verdict:
    """MySQL instance does not load files of its clients

    Must be said: what is not set is not tested.

    Risk: a forged server or an injected statement reads files of the client's machine.
    Fix: gcloud sql instances patch {name} --database-flags=local_infile=off, with the flags that are set
        already
    Source: https://cloud.google.com/sql/docs/mysql/flags
    Verified: 2026-11-25, the flag, by published copies of the CIS benchmark; its default is not settled.
    """
    return _flag(instance, "MYSQL", "local_infile", ("off",))


@check(instances, severity="high")
def sqlserver_runs_no_external_scripts(instance: Resource) -> Verdict:
    """SQL Server instance runs no external scripts

    Risk: whoever may query runs code in other languages on the server.
    Fix: gcloud sql instances patch {name} --database-flags="external scripts enabled=off", with the flags
        that are set already
    Source: https://cloud.google.com/sql/docs/sqlserver/flags
    Verified: 2026-11-25, flag and default, by copies of the CIS benchmark and Microsoft's pages.
    """
    return _flag(instance, "SQLSERVER", "external scripts enabled", ("off", "0"), default="off")


@check(instances, severity="medium")
def sqlserver_keeps_databases_apart(instance: Resource) -> Verdict:
    """SQL Server instance keeps ownership and logins within each database

    Cross-database ownership chaining and contained database authentication are off.

    Risk: an owner in one database reaches another; a login made inside a database is managed nowhere.
    Fix: gcloud sql instances patch {name} --database-flags="cross db ownership chaining=off,contained
        database authentication=off", with the flags that are set already
    Source: https://cloud.google.com/sql/docs/sqlserver/flags
    Verified: 2026-11-25, flags, and the one default used, by copies of the CIS benchmark.
    """
    return _worst(
        _flag(instance, "SQLSERVER", "cross db ownership chaining", ("off", "0")),
        _flag(instance, "SQLSERVER", "contained database authentication", ("off", "0"), default="off"),
    )


@check(instances, severity="medium")
def sqlserver_runs_no_remote_procedures(instance: Resource) -> Verdict:
    """SQL Server instance does not run its procedures for other servers

    Must be said: SQL Server's default is on.

    Risk: a taken-over server runs procedures on this one.
    Fix: gcloud sql instances patch {name} --database-flags="remote access=off", with the flags that are set
        already
    Source: https://cloud.google.com/sql/docs/sqlserver/flags
    Verified: 2026-11-25, flag and default, by copies of the CIS benchmark and Microsoft's pages.
    """
    return _flag(instance, "SQLSERVER", "remote access", ("off", "0"), default="on")


@check(instances, severity="low")
def sqlserver_masks_error_messages(instance: Resource) -> Verdict:
    """SQL Server instance masks the values in error messages for all but administrators

    Trace flag 3625.

    Risk: error messages tell an attacker what is in the tables.
    Fix: gcloud sql instances patch {name} --database-flags=3625=on, with the flags that are set already
    Source: https://cloud.google.com/sql/docs/sqlserver/flags
    Verified: 2026-11-25, the flag and its default, by published copies of the CIS benchmark.
    """
    return _flag(instance, "SQLSERVER", "3625", ("on", "1"), default="not set")


@check(instances, severity="low")
def sqlserver_leaves_connections_and_options_alone(instance: Resource) -> Verdict:
    """SQL Server instance neither limits connections nor sets options for everyone

    Risk: a low limit locks people out; options for everyone change what statements mean without a word.
    Fix: gcloud sql instances patch {name} --database-flags="user connections=0", with the flags that are set
        already, and without "user options"
    Source: https://cloud.google.com/sql/docs/sqlserver/flags
    Verified: 2026-11-25, defaults by copies of the CIS benchmark and Microsoft's table of options.
    """
    return _worst(
        _flag(instance, "SQLSERVER", "user connections", ("0",), default="0"),
        _flag(instance, "SQLSERVER", "user options", ("0",), default="0"),
    )
