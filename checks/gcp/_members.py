"""Members of Google Cloud's IAM policies: who is public, who is outside, and who is a service account.

https://cloud.google.com/iam/docs/principal-identifiers
https://cloud.google.com/iam/docs/service-agents
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

PUBLIC = ("allUsers", "allAuthenticatedUsers")
"""Everyone on the internet; everyone who has a Google account."""

BASIC_ROLES = ("roles/owner", "roles/editor", "roles/admin", "roles/writer")
"""The basic roles that change things, the older two first. `roles/viewer` and `roles/reader` only read."""

CONSUMER_DOMAINS = ("gmail.com", "googlemail.com")

SERVICE_AGENT = re.compile(
    r"^(?:\d+@cloudservices\.gserviceaccount\.com"
    r"|[^@]+@system\.gserviceaccount\.com"
    r"|[^@]+@(?:gcp-sa-[a-z0-9-]+|firebase-sa-management|bigquery-encryption|cloud-filer|cloud-ml\.google\.com"
    r"|cloud-tpu|cloudcomposer-accounts|compute-system|container-analysis|container-engine-robot"
    r"|containerregistry|dataflow-service-producer-prod|dataproc-accounts|dlp-api|endpoints-portal"
    r"|firebase-rules|gae-api-prod\.google\.com|gcf-admin-robot|genomics-api\.google\.com"
    r"|gs-project-accounts|remotebuildexecution|security-center-api|serverless-robot-prod"
    r"|service-consumer-management|service-networking|sourcerepo-service-accounts"
    r"|storage-transfer-service|trifacta-gcloud-prod|cloud-cdn-fill|cloud-memcache-sa|cloud-redis"
    r"|gcp-gae-service|meshdataplane|meshconfig|mcsd|monitoring-notification|cloud-iot)"
    r"\.iam\.gserviceaccount\.com)$"
)
"""Accounts that Google makes, runs and grants roles to itself, and that live in Google's own projects.

The project is what tells: anybody can make `service-123@their-project.iam.gserviceaccount.com`. That of Cloud
Build (`123@cloudbuild.gserviceaccount.com`) is none of them: it runs what the project's people write.
"""

DEFAULT_ACCOUNT = re.compile(r"^(?:\d+-compute@developer|[a-z][a-z0-9.:-]+@appspot)\.gserviceaccount\.com$")
"""The accounts that Compute Engine and App Engine make in a project, and that its owner can change."""


def address(member: str) -> str:
    """The address in a member, `user:ada@acme.example` gives `ada@acme.example`; "" if it has none."""
    kind, _, rest = member.partition(":")
    return rest.lower() if kind in ("user", "group", "domain", "serviceAccount") else ""


def domain(member: str) -> str:
    """The domain of a person, group or whole domain; "" for service accounts, federated and other members."""
    kind, _, rest = member.partition(":")
    return rest.rpartition("@")[2].lower() if kind in ("user", "group", "domain") else ""


def is_public(member: str) -> bool:
    """Whether the member is everyone, or everyone with a Google account."""
    return member in PUBLIC


def is_deleted(member: str) -> bool:
    """Whether the member is no more; its bindings have no effect until it is undeleted."""
    return member.startswith("deleted:")


def is_service_account(member: str) -> bool:
    """Whether the member is a service account, Google's own included; not a Kubernetes one."""
    return member.startswith("serviceAccount:") and "[" not in member


def is_service_agent(member: str) -> bool:
    """Whether the member, or the bare address, is an account that Google itself runs and manages."""
    return bool(SERVICE_AGENT.match(member.removeprefix("serviceAccount:").lower()))


def is_default_account(member: str) -> bool:
    """Whether the member, or the bare address, is a default service account of Compute or App Engine."""
    return bool(DEFAULT_ACCOUNT.match(member.removeprefix("serviceAccount:").lower()))


def is_consumer(member: str) -> bool:
    """Whether the member is a personal Google account, which no organisation manages."""
    return domain(member) in CONSUMER_DOMAINS


def is_outside(member: str, domains: Collection[str]) -> bool:
    """Whether a person, group or domain belongs to none of the organisation's domains.

    Of service accounts and federated identities the domain says nothing: False.
    """
    return bool(own := domain(member)) and own not in {one.lower() for one in domains}


def grants(bindings: Iterable[Mapping[str, Any]] | None) -> Iterator[tuple[str, str]]:
    """Every (role, member) of a policy's bindings, less members that were deleted."""
    for binding in bindings or ():
        for member in binding.get("members", ()):
            if not is_deleted(member):
                yield binding["role"], member


def public_grants(bindings: Iterable[Mapping[str, Any]] | None) -> list[str]:
    """What everyone may: one phrase per role, such as `allUsers has roles/storage.objectViewer`."""
    return [f"{member} has {role}" for role, member in grants(bindings) if is_public(member)]
