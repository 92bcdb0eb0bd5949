"""Artifact Registry: repositories, who may use them, and whether they are scanned.

https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.gcp._names import without
from checks.gcp._own_key import under_own_key
from checks.gcp._policies import bindings_of, open_to_nobody_unknown
from collector.sdk import (
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    resource,
)

REPOSITORY = "artifactregistry.googleapis.com/Repository"


@evidence(calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"], per="project")
def repositories(gcp: Any) -> Iterator[Resource]:
    """Every repository, with who may use it."""
    bindings = bindings_of(gcp, REPOSITORY)
    for asset in gcp.assets(REPOSITORY):
        data = without(asset["resource"]["data"], "sizeBytes")
        yield resource(asset["name"], config={**data, "iamBindings": bindings(asset["name"])})


@check(repositories, severity="high")
def repository_is_not_public(repository: Resource) -> Verdict:
    """Repository of packages or images is open to nobody unknown

    Risk: anyone can take the software, or put other software in its place.
    Fix: gcloud artifacts repositories remove-iam-policy-binding {name} --location LOCATION --member=allUsers
        --role=ROLE
    Source: https://cloud.google.com/artifact-registry/docs/access-control
    Verified: 2026-11-25, form of policy and members, by the discovery document of artifactregistry v1.
    """
    return open_to_nobody_unknown(repository["iamBindings"])


@check(repositories, severity="medium")
def repository_is_scanned(repository: Resource) -> Verdict:
    """Repository is scanned for known weaknesses

    Google's own word, which takes the setting of the repository and the API of the project together.

    Risk: known weaknesses in images go to production unseen.
    Fix: gcloud services enable containerscanning.googleapis.com, and gcloud artifacts repositories update
        {name} --location LOCATION --allow-vulnerability-scanning
    Source: https://cloud.google.com/artifact-analysis/docs/enable-automatic-scanning
    Verified: 2026-11-25, fields and values, by the discovery document of artifactregistry v1.
    """
    scanning = repository.get("vulnerabilityScanningConfig") or {}
    state = scanning.get("enablementState", "ENABLEMENT_STATE_UNSPECIFIED")
    sentence = " ".join(filter(None, (state, scanning.get("enablementStateReason"))))
    if state == "SCANNING_UNSUPPORTED":
        return not_applicable(sentence)
    if state == "SCANNING_ACTIVE":
        return ok(sentence)
    if state == "SCANNING_DISABLED":
        return fail(sentence)
    return not_tested("the inventory does not state whether it is scanned")


@check(repositories, severity="low")
def repository_keeps_tags(repository: Resource) -> Verdict:
    """Tags of the repository of images stay where they were put

    Risk: what was reviewed and tested under a tag is not what runs under it.
    Fix: gcloud artifacts repositories update {name} --location LOCATION --immutable-tags
    Source: https://cloud.google.com/artifact-registry/docs/repositories/create-repos
    Verified: 2026-11-25, fields and values, by the discovery document of artifactregistry v1.
    """
    if (kind := repository["format"]) != "DOCKER":
        return not_applicable(f"format {kind} has no tags")
    if (mode := repository.get("mode", "STANDARD_REPOSITORY")) != "STANDARD_REPOSITORY":
        return not_applicable(f"mode {mode}: its tags are made elsewhere")
    on = (repository.get("dockerConfig") or {}).get("immutableTags")
    return ok("immutable tags on") if on else fail("immutable tags off")


@check(repositories, severity="low")
def repository_is_encrypted_under_own_key(repository: Resource) -> Verdict:
    """Repository is encrypted under a key of one's own

    Google encrypts every repository in any case.

    Risk: access to the software cannot be withdrawn, or its use seen, by way of the key.
    Fix: the key is set when a repository is made: gcloud artifacts repositories create NAME --kms-key=KEY ...
    Source: https://cloud.google.com/artifact-registry/docs/cmek
    Verified: 2026-11-25, fields and values, by the discovery document of artifactregistry v1.
    """
    return under_own_key(repository.get("kmsKeyName"))
