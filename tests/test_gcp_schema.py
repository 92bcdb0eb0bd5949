"""What the stand-in for Google Cloud says is what Google documents: assets, and answers of services.

`resource.data` of an asset is what the service's own REST API gives; Google describes that in a discovery
document per service, of which google-api-python-client ships a copy. An unknown field or a value of another
type is a mistake in a scenario, or in the demo's company, and so perhaps in a check.

https://developers.google.com/discovery/v1/type-format
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import googleapiclient
import pytest

from collector.demo.gcp import Company
from collector.demo.gcp_company import FACTS, changed
from collector.platforms import gcp
from tests.checks import harness
from tests.checks.harness import Scenario

DOCUMENTS = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"

SCHEMAS = {
    "alloydb.googleapis.com/Cluster": "alloydb.v1 Cluster",
    "alloydb.googleapis.com/Instance": "alloydb.v1 Instance",
    "apikeys.googleapis.com/Key": "apikeys.v2 V2Key",
    "appengine.googleapis.com/Version": "appengine.v1 Version",
    "artifactregistry.googleapis.com/Repository": "artifactregistry.v1 Repository",
    "backupdr.googleapis.com/BackupPlanAssociation": "backupdr.v1 BackupPlanAssociation",
    "backupdr.googleapis.com/BackupVault": "backupdr.v1 BackupVault",
    "bigquery.googleapis.com/Dataset": "bigquery.v2 Dataset",
    "bigquery.googleapis.com/Table": "bigquery.v2 Table",
    "cloudfunctions.googleapis.com/CloudFunction": "cloudfunctions.v1 CloudFunction",
    "cloudfunctions.googleapis.com/Function": "cloudfunctions.v2 Function",
    "cloudkms.googleapis.com/CryptoKey": "cloudkms.v1 CryptoKey",
    "cloudkms.googleapis.com/CryptoKeyVersion": "cloudkms.v1 CryptoKeyVersion",
    "cloudkms.googleapis.com/KeyRing": "cloudkms.v1 KeyRing",
    "cloudresourcemanager.googleapis.com/Folder": "cloudresourcemanager.v2 Folder",
    "cloudresourcemanager.googleapis.com/Organization": "cloudresourcemanager.v1 Organization",
    "cloudresourcemanager.googleapis.com/Project": "cloudresourcemanager.v1 Project",
    "compute.googleapis.com/Address": "compute.v1 Address",
    "compute.googleapis.com/BackendService": "compute.v1 BackendService",
    "compute.googleapis.com/Disk": "compute.v1 Disk",
    "compute.googleapis.com/Firewall": "compute.v1 Firewall",
    "compute.googleapis.com/FirewallPolicy": "compute.v1 FirewallPolicy",
    "compute.googleapis.com/ForwardingRule": "compute.v1 ForwardingRule",
    "compute.googleapis.com/GlobalForwardingRule": "compute.v1 ForwardingRule",
    "compute.googleapis.com/Image": "compute.v1 Image",
    "compute.googleapis.com/Instance": "compute.v1 Instance",
    "compute.googleapis.com/InstanceTemplate": "compute.v1 InstanceTemplate",
    "compute.googleapis.com/MachineImage": "compute.v1 MachineImage",
    "compute.googleapis.com/Network": "compute.v1 Network",
    "compute.googleapis.com/Project": "compute.v1 Project",
    "compute.googleapis.com/RegionBackendService": "compute.v1 BackendService",
    "compute.googleapis.com/RegionDisk": "compute.v1 Disk",
    "compute.googleapis.com/ResourcePolicy": "compute.v1 ResourcePolicy",
    "compute.googleapis.com/Snapshot": "compute.v1 Snapshot",
    "compute.googleapis.com/SslCertificate": "compute.v1 SslCertificate",
    "compute.googleapis.com/SslPolicy": "compute.v1 SslPolicy",
    "compute.googleapis.com/Subnetwork": "compute.v1 Subnetwork",
    "compute.googleapis.com/TargetHttpProxy": "compute.v1 TargetHttpProxy",
    "compute.googleapis.com/TargetHttpsProxy": "compute.v1 TargetHttpsProxy",
    "compute.googleapis.com/TargetSslProxy": "compute.v1 TargetSslProxy",
    "compute.googleapis.com/UrlMap": "compute.v1 UrlMap",
    "container.googleapis.com/Cluster": "container.v1 Cluster",
    "container.googleapis.com/NodePool": "container.v1 NodePool",
    "dataproc.googleapis.com/Cluster": "dataproc.v1 Cluster",
    "dns.googleapis.com/ManagedZone": "dns.v1 ManagedZone",
    "dns.googleapis.com/Policy": "dns.v1 Policy",
    "essentialcontacts.googleapis.com/Contact": "essentialcontacts.v1 GoogleCloudEssentialcontactsV1Contact",
    "file.googleapis.com/Backup": "file.v1 Backup",
    "file.googleapis.com/Instance": "file.v1 Instance",
    "firestore.googleapis.com/Database": "firestore.v1 GoogleFirestoreAdminV1Database",
    "iam.googleapis.com/Role": "iam.v1 Role",
    "iam.googleapis.com/ServiceAccount": "iam.v1 ServiceAccount",
    "iam.googleapis.com/ServiceAccountKey": "iam.v1 ServiceAccountKey",
    "iam.googleapis.com/WorkloadIdentityPool": "iam.v1 WorkloadIdentityPool",
    "iam.googleapis.com/WorkloadIdentityPoolProvider": "iam.v1 WorkloadIdentityPoolProvider",
    "logging.googleapis.com/LogBucket": "logging.v2 LogBucket",
    "logging.googleapis.com/LogMetric": "logging.v2 LogMetric",
    "logging.googleapis.com/LogSink": "logging.v2 LogSink",
    "monitoring.googleapis.com/AlertPolicy": "monitoring.v3 AlertPolicy",
    "monitoring.googleapis.com/NotificationChannel": "monitoring.v3 NotificationChannel",
    "orgpolicy.googleapis.com/CustomConstraint": "orgpolicy.v2 GoogleCloudOrgpolicyV2CustomConstraint",
    "orgpolicy.googleapis.com/Policy": "orgpolicy.v2 GoogleCloudOrgpolicyV2Policy",
    "pubsub.googleapis.com/Subscription": "pubsub.v1 Subscription",
    "pubsub.googleapis.com/Topic": "pubsub.v1 Topic",
    "redis.googleapis.com/Cluster": "redis.v1 Cluster",
    "redis.googleapis.com/Instance": "redis.v1 Instance",
    "run.googleapis.com/Job": "run.v1 Job",
    "run.googleapis.com/Service": "run.v1 Service",
    "secretmanager.googleapis.com/Secret": "secretmanager.v1 Secret",
    "secretmanager.googleapis.com/SecretVersion": "secretmanager.v1 SecretVersion",
    "serviceusage.googleapis.com/Service": "serviceusage.v1 GoogleApiServiceusageV1Service",
    "spanner.googleapis.com/Backup": "spanner.v1 Backup",
    "spanner.googleapis.com/Database": "spanner.v1 Database",
    "spanner.googleapis.com/Instance": "spanner.v1 Instance",
    "sqladmin.googleapis.com/Instance": "sqladmin.v1 DatabaseInstance",
    "storage.googleapis.com/Bucket": "storage.v1 Bucket",
}
"""By asset type the discovery document and the schema in it."""

NEWER = {
    "run.googleapis.com/Job": {"v2": "run.v2 GoogleCloudRunV2Job"},
    "run.googleapis.com/Service": {"v2": "run.v2 GoogleCloudRunV2Service"},
}
"""Where an asset says that it is of another `version`."""

NUMBERS_FOR_TEXT = {
    # Samples in Google's own policy library show `"projectNumber": 68478495408` and `"metageneration": 2`:
    # https://github.com/GoogleCloudPlatform/policy-library/tree/main/validator/test/fixtures/assets
    "storage.googleapis.com/Bucket",
}
"""Assets of which Cloud Asset Inventory shows numbers where the service has text (int64)."""

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@cache
def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def of_asset(asset: Mapping[str, Any]) -> Iterator[str]:
    """What is not as described in an asset of the stand-in."""
    kind = asset["type"]
    if kind not in SCHEMAS:
        yield f"{kind}: no schema is known; add it to SCHEMAS"
        return
    name, schema = NEWER.get(kind, {}).get(asset.get("version", ""), SCHEMAS[kind]).split()
    for problem in misfits(
        document(name)["schemas"], {"$ref": schema}, asset["data"], "data", kind in NUMBERS_FOR_TEXT
    ):
        yield f"{kind} {asset['name'].rsplit('/', 1)[-1]}: {problem}"


def of_answer(call: str, answer: Mapping[str, Any]) -> Iterator[str]:
    """What is not as described in an answer to `GET URL`: not as any method whose path can be meant."""
    host, _, path = call.removeprefix("GET https://").partition("/")
    problems: list[list[str]] = []
    for file in sorted(DOCUMENTS.glob(f"{host.partition('.')[0]}.*.json")):
        described = document(file.stem)
        if urlsplit(described["rootUrl"]).netloc != host:
            continue
        for method in _methods(described):
            meant = described["servicePath"] + method.get("flatPath", method["path"])
            if method["httpMethod"] == "GET" and _alike(_steps(path), _steps(meant)):
                found = misfits(described["schemas"], method["response"], answer, "answer", False)
                problems.append([f"{call}: {problem}" for problem in found])
    yield from min(problems, key=len, default=[f"{call} is not described"])


def _steps(path: str) -> list[str]:
    """The parts of a path; what is done with it (`:query`) is one of them."""
    return path.replace(":", "/:").split("/")


def _alike(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether two templates can mean the same path, and end in the same word if ours ends in one.

    `{+name}` stands for any number of steps.
    """
    if not ours or not theirs:
        return ours == theirs
    if len(ours) == len(theirs) == 1 and "{" not in ours[0]:
        return ours == theirs
    if ours[0].startswith("{+"):
        return any(_alike(ours[1:], theirs[length:]) for length in range(1, len(theirs) + 1))
    same = ours[0] == theirs[0] or "{" in ours[0] or "{" in theirs[0]
    return same and _alike(ours[1:], theirs[1:])


def _methods(resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from resources.get("methods", {}).values()
    for one in resources.get("resources", {}).values():
        yield from _methods(one)


def misfits(
    schemas: Mapping[str, Any], schema: Mapping[str, Any], value: Any, place: str, lax: bool
) -> Iterator[str]:
    """Where a value does not fit a schema; `lax` where a number may stand for text of a number."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"]]
    kind = schema.get("type", "object")
    if kind == "any":
        return
    if kind == "object" and isinstance(value, Mapping):
        known = schema.get("properties", {})
        other = schema.get("additionalProperties")
        for name, one in value.items():
            if name in known or other is not None:
                yield from misfits(schemas, known.get(name) or other, one, f"{place}.{name}", lax)
            else:
                yield f"{place}.{name} is not described"
    elif kind == "array" and isinstance(value, list):
        for number, one in enumerate(value):
            yield from misfits(schemas, schema["items"], one, f"{place}[{number}]", lax)
    elif not _fits(schema, kind, value, lax):
        what = f"{kind} {schema.get('format', '')}".strip()
        what += f", one of {', '.join(schema['enum'])}" if "enum" in schema else ""
        yield f"{place}: {value!r} is not {what}"


def _fits(schema: Mapping[str, Any], kind: str, value: Any, lax: bool) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    whole = schema.get("format", "").endswith("int64")
    if kind == "string" and whole and lax and number:
        return True
    if kind == "string":
        timed = schema.get("format") in ("date-time", "google-datetime")
        return (
            isinstance(value, str)
            and (value in schema["enum"] if "enum" in schema else True)
            and (bool(re.fullmatch(r"-?\d+", value)) if whole else True)
            and (bool(TIME.fullmatch(value)) if timed else True)
        )
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return number and isinstance(value, int)
    return kind == "number" and number


def of_company(company: Company) -> list[str]:
    """Everything that is not as described in what a company has to say."""
    found = [problem for one in company.assets if "data" in one for problem in of_asset(one)]
    for call, cases in company.cases.items():
        if call.startswith("GET "):
            for case in cases:
                found += of_answer(call, case.answer) if case.answer is not None else ()
    return list(dict.fromkeys(found))


def _listed() -> set[str]:
    return {one for types in gcp.ASSET_TYPES.values() for one in types} | gcp.APART


def test_every_type_that_is_listed_has_a_schema() -> None:
    assert not _listed() - SCHEMAS.keys()
    assert not gcp.APART & {one for types in gcp.ASSET_TYPES.values() for one in types}
    missing = []
    for kind, described in SCHEMAS.items():
        name, schema = described.split()
        if schema not in document(name)["schemas"]:
            missing.append(kind)
    assert not missing


@pytest.mark.parametrize("scenario", harness.parameters("gcp"))
def test_scenarios_are_as_described(scenario: Scenario) -> None:
    problems = of_company(Company(scenario.answers, scenario.at))
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("facts", [FACTS, changed(FACTS)], ids=["first", "second"])
def test_the_demos_company_is_as_described(facts: dict[str, Any]) -> None:
    company = Company(facts)
    problems = of_company(company)
    assert not problems, "\n" + "\n".join(problems)
    assert len({(one["type"], one["name"]) for one in facts["assets"]}) == len(facts["assets"])
    assert not {one["type"] for one in company.assets} - _listed() - set(gcp.KINDS.values())


@pytest.mark.parametrize(
    ("kind", "data", "problem"),
    [
        ("storage.googleapis.com/Bucket", {"name": "a", "version": {}}, "data.version is not described"),
        ("storage.googleapis.com/Bucket", {"name": 1}, "data.name: 1 is not string"),
        ("storage.googleapis.com/Bucket", {"versioning": {"enabled": "yes"}}, "'yes' is not boolean"),
        ("storage.googleapis.com/Bucket", {"versioning": []}, "data.versioning: [] is not object"),
        ("storage.googleapis.com/Bucket", {"timeCreated": "yesterday"}, "is not string date-time"),
        ("compute.googleapis.com/Instance", {"id": 1}, "data.id: 1 is not string uint64"),
        ("compute.googleapis.com/Instance", {"id": "one"}, "data.id: 'one' is not string uint64"),
        ("compute.googleapis.com/Instance", {"status": "SLEEPY"}, "'SLEEPY' is not string, one of "),
        ("compute.googleapis.com/Instance", {"disks": [{"boot": None}]}, "disks[0].boot: None is not"),
        ("compute.googleapis.com/Firewall", {"priority": "1"}, "data.priority: '1' is not integer int32"),
        ("compute.googleapis.com/Firewall", {"priority": True}, "True is not integer int32"),
        ("example.googleapis.com/Thing", {}, "no schema is known"),
    ],
)
def test_what_is_not_as_described_is_told(kind: str, data: Any, problem: str) -> None:
    (found,) = of_asset({"type": kind, "name": "//x/a", "data": data})
    assert problem in found


def test_what_is_as_described_is_not_told() -> None:
    bucket = {"metageneration": 2, "projectNumber": "7", "labels": {"a": "b"}, "versioning": {}, "acl": []}
    assert not list(of_asset({"type": "storage.googleapis.com/Bucket", "name": "//x/a", "data": bucket}))


@pytest.mark.parametrize(
    ("call", "answer", "problem"),
    [
        ("GET https://cloudkms.googleapis.com/v1/{+ring}/cryptoKeys", {"cryptoKeys": [{"name": "k"}]}, None),
        ("GET https://cloudkms.googleapis.com/v1/{+ring}/cryptoKeys", {"keys": []}, "keys is not described"),
        ("GET https://cloudkms.googleapis.com/v1/{+ring}/magic", {}, "is not described"),
        ("GET https://storage.googleapis.com/storage/v1/b/{bucket}", {"name": 1}, "1 is not string"),
        ("GET https://example.googleapis.com/v1/x", {}, "is not described"),
    ],
)
def test_answers_of_services(call: str, answer: Any, problem: str | None) -> None:
    found = list(of_answer(call, answer))
    assert problem in found[0] if problem else not found
