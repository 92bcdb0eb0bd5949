"""Dataproc: clusters.

https://cloud.google.com/dataproc/docs/reference/rest/v1/projects.regions.clusters
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.gcp._members import is_default_account
from checks.gcp._names import without
from checks.gcp._own_key import under_own_key
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def clusters(gcp: Any) -> Iterator[Resource]:
    """Every cluster with its network, account and keys, less its state and metadata."""
    for asset in gcp.assets("dataproc.googleapis.com/Cluster"):
        data = without(asset["resource"]["data"], "metrics", "status", "statusHistory")
        config = data.get("config") or {}
        machines = without(config.get("gceClusterConfig") or {}, "metadata")
        kept = {"encryptionConfig": config.get("encryptionConfig") or {}, "gceClusterConfig": machines}
        yield resource(asset["name"], config={**data, "config": kept})


def _on_kubernetes(cluster: Resource) -> Verdict | None:
    """The verdict on a cluster that has no machines of its own."""
    if "virtualClusterConfig" in cluster:
        return not_applicable("runs on GKE, whose cluster sets it")
    return None


def _machines(cluster: Resource) -> Mapping[str, Any]:
    machines: Mapping[str, Any] = cluster["config"]["gceClusterConfig"]
    return machines


@check(clusters, severity="low")
def cluster_is_encrypted_under_own_key(cluster: Resource) -> Verdict:
    """Dataproc cluster encrypts its disks under a key of one's own

    Google encrypts every disk in any case.

    Risk: access to the data cannot be withdrawn, or its use seen, by way of the key.
    Fix: the key is set when a cluster is made: gcloud dataproc clusters create NAME --region REGION
        --gce-pd-kms-key=KEY
    Source: https://cloud.google.com/dataproc/docs/concepts/configuring-clusters/customer-managed-encryption
    Verified: 2026-11-25, fields and values, by the discovery document of dataproc v1.
    """
    if elsewhere := _on_kubernetes(cluster):
        return elsewhere
    keys = cluster["config"]["encryptionConfig"]
    return under_own_key(keys.get("gcePdKmsKeyName") or keys.get("kmsKey"))


@check(clusters, severity="medium")
def cluster_has_no_public_addresses(cluster: Resource) -> Verdict:
    """Machines of the Dataproc cluster have no public addresses

    Risk: the cluster's consoles, which ask for no password, can be reached as soon as a firewall rule is
        opened by mistake.
    Fix: the setting is made with the cluster: gcloud dataproc clusters create NAME --region REGION
        --no-address
    Source: https://cloud.google.com/dataproc/docs/concepts/configuring-clusters/network
    Verified: 2026-11-25, fields and values, by the discovery document of dataproc v1.
    """
    if elsewhere := _on_kubernetes(cluster):
        return elsewhere
    on = _machines(cluster).get("internalIpOnly")
    return ok("internal addresses only") if on else fail("internalIpOnly off")


@check(clusters, severity="medium")
def cluster_does_not_run_as_default_account(cluster: Resource) -> Verdict:
    """Dataproc cluster runs as a service account of its own

    Risk: the default account has the role Editor unless somebody took it away: every job can change the whole
        project.
    Fix: the account is set when a cluster is made: gcloud dataproc clusters create NAME --region REGION
        --service-account=EMAIL
    Source: https://cloud.google.com/dataproc/docs/concepts/configuring-clusters/service-accounts
    Verified: 2026-11-25, fields and values, by the discovery document of dataproc v1.
    """
    if elsewhere := _on_kubernetes(cluster):
        return elsewhere
    account = _machines(cluster).get("serviceAccount")
    if not account:
        return fail("the project's default account")  # the documented default
    return fail(f"default account {account}") if is_default_account(account) else ok(f"account {account}")
