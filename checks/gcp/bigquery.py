"""BigQuery: datasets and tables.

https://cloud.google.com/bigquery/docs/reference/rest/v2
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.gcp._members import is_public, public_grants
from checks.gcp._names import part, without
from checks.gcp._own_key import under_own_key
from checks.gcp._policies import bindings_of, open_to_nobody_unknown
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

STORED = ("TABLE", "SNAPSHOT", "CLONE", "MATERIALIZED_VIEW")
"""Types of table whose data BigQuery itself keeps."""

READ_OF_TABLES = (
    "biglakeConfiguration",
    "encryptionConfiguration",
    "expirationTime",
    "labels",
    "tableReference",
    "type",
)
"""What is kept of a table. The rest is its columns, and counters that change with every row."""

DATASET_TYPES_ELSEWHERE = ("LINKED", "EXTERNAL")


@evidence(calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"], per="project")
def datasets(gcp: Any) -> Iterator[Resource]:
    """Every dataset, with who may use it."""
    bindings = bindings_of(gcp, "bigquery.googleapis.com/Dataset")
    for asset in gcp.assets("bigquery.googleapis.com/Dataset"):
        data = without(asset["resource"]["data"], "lastModifiedTime")
        yield resource(asset["name"], config={**data, "iamBindings": bindings(asset["name"])})


@evidence(calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"], per="project")
def tables(gcp: Any) -> Iterator[Resource]:
    """Every table and view with its type, key and who may use it, without columns and counters."""
    bindings = bindings_of(gcp, "bigquery.googleapis.com/Table")
    for asset in gcp.assets("bigquery.googleapis.com/Table"):
        name, data = asset["name"], asset["resource"]["data"]
        yield resource(
            name,
            name=f"{part(name, 'datasets')}.{part(name, 'tables')}",
            config={
                **{key: data[key] for key in READ_OF_TABLES if key in data},
                "iamBindings": bindings(name),
            },
        )


@check(datasets, severity="critical")
def dataset_is_not_public(dataset: Resource) -> Verdict:
    """BigQuery dataset is open to nobody unknown

    Risk: anyone with a Google account can read the tables.
    Fix: take the entry out: bq show --format=prettyjson PROJECT:{name} > FILE, and bq update --source FILE
        PROJECT:{name}
    Source: https://cloud.google.com/bigquery/docs/control-access-to-resources-iam
    Verified: 2026-11-25, fields and values, by the discovery document of bigquery v2.
    """
    entries = [
        f"{member} has {entry.get('role')}"
        for entry in dataset.get("access", ())
        if is_public(member := entry.get("specialGroup") or entry.get("iamMember") or "")
    ]
    # The list of access is the same policy in older words: what it shows is enough to fail.
    found = entries or public_grants(dataset["iamBindings"])
    return fail("; ".join(found)) if found else ok("no role for allUsers or allAuthenticatedUsers")


@check(tables, severity="critical")
def table_is_not_public(table: Resource) -> Verdict:
    """BigQuery table is open to nobody unknown

    By the table's own policy; that of its dataset is judged apart.

    Risk: anyone with a Google account can read the table.
    Fix: bq remove-iam-policy-binding --member=allAuthenticatedUsers --role=ROLE PROJECT:{name}
    Source: https://cloud.google.com/bigquery/docs/control-access-to-resources-iam
    Verified: 2026-11-25, form of policy and members, by the discovery document of bigquery v2.
    """
    return open_to_nobody_unknown(table["iamBindings"])


@check(datasets, severity="low")
def dataset_is_encrypted_under_own_key(dataset: Resource) -> Verdict:
    """BigQuery dataset encrypts new tables under a key of one's own

    Google encrypts every table in any case.

    Risk: access to the data cannot be withdrawn, or its use seen, by way of the key.
    Fix: bq update --default_kms_key KEY PROJECT:{name}
    Source: https://cloud.google.com/bigquery/docs/customer-managed-encryption
    Verified: 2026-11-25, fields and values, by the discovery document of bigquery v2.
    """
    if (kind := dataset.get("type", "DEFAULT")) in DATASET_TYPES_ELSEWHERE:
        return not_applicable(f"type {kind}: its data is kept elsewhere")
    return under_own_key((dataset.get("defaultEncryptionConfiguration") or {}).get("kmsKeyName"))


@check(tables, severity="low")
def table_is_encrypted_under_own_key(table: Resource) -> Verdict:
    """BigQuery table is encrypted under a key of one's own

    Google encrypts every table in any case.

    Risk: access to the data cannot be withdrawn, or its use seen, by way of the key.
    Fix: bq cp -f --destination_kms_key KEY PROJECT:{name} PROJECT:{name}
    Source: https://cloud.google.com/bigquery/docs/customer-managed-encryption
    Verified: 2026-11-25, fields and values, by the discovery document of bigquery v2.
    """
    if (kind := table["type"]) not in STORED:
        return not_applicable(f"type {kind}: BigQuery keeps no data of it")
    return under_own_key((table.get("encryptionConfiguration") or {}).get("kmsKeyName"))
