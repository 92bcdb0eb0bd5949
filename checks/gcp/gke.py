"""Google Kubernetes Engine: clusters and their node pools.

What an Autopilot cluster fixes for everyone, Google answers as it is, or it is not applicable to its pools.

https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from checks.gcp._members import is_default_account
from checks.gcp._names import part, without
from collector.sdk import (
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

VOLATILE = (
    "conditions",
    "currentMasterVersion",
    "currentNodeCount",
    "currentNodeVersion",
    "instanceGroupUrls",
    "nodeConfig",
    "nodePools",
    "statusMessage",
)
"""What changes with every upgrade and scaling, and the pools, which are evidence of their own."""

LOGIN_SECRETS = ("clientKey", "password")


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def clusters(gcp: Any) -> Iterator[Resource]:
    """Every cluster, without its node pools. Passwords and client keys are redacted."""
    for asset in gcp.assets("container.googleapis.com/Cluster"):
        data = asset["resource"]["data"]
        login = {
            key: gcp.redact(value) if key in LOGIN_SECRETS and value else value
            for key, value in (data.get("masterAuth") or {}).items()
        }
        yield resource(asset["name"], config={**without(data, *VOLATILE), "masterAuth": login})


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def pools(gcp: Any) -> Iterator[Resource]:
    """Every node pool, named `cluster/pool`."""
    for asset in gcp.assets("container.googleapis.com/NodePool"):
        name = asset["name"]
        data = without(
            asset["resource"]["data"], "conditions", "instanceGroupUrls", "statusMessage", "updateInfo"
        )
        config = dict(data.get("config") or {})
        # Metadata of nodes may hold scripts and secrets, and no check reads it.
        config.pop("metadata", None)
        yield resource(
            name,
            name=f"{part(name, 'clusters')}/{part(name, 'nodePools')}",
            config={**data, "config": config},
        )


def _cluster_of(pool: Resource, clusters: list[Resource]) -> Resource:
    key = pool.key.rpartition("/nodePools/")[0]
    for cluster in clusters:
        if cluster.key == key:
            return cluster
    raise NotCollectedError(Reason.NOT_SEEN, f"the inventory has no cluster {key}")


def _autopilot(cluster: Resource) -> bool:
    return bool((cluster.get("autopilot") or {}).get("enabled"))


def _part(item: Resource, name: str) -> Mapping[str, Any]:
    """A nested configuration. Booleans that are false, and what has only those, are left out by the API."""
    return item.get(name) or {}


def _endpoints(cluster: Resource) -> Mapping[str, Any]:
    return _part(cluster, "controlPlaneEndpointsConfig").get("ipEndpointsConfig") or {}


def _has_public_endpoint(cluster: Resource) -> bool:
    """Whether the control plane has a public address: as the newer field says, if it does."""
    endpoints = _endpoints(cluster)
    if endpoints.get("enabled") is False:
        return False
    if (public := endpoints.get("enablePublicEndpoint")) is not None:
        return bool(public)
    return not _part(cluster, "privateClusterConfig").get("enablePrivateEndpoint")


@check(pools, clusters, severity="medium")
def pool_is_private(pool: Resource, *, clusters: list[Resource]) -> Verdict:
    """Nodes of the pool have no public addresses

    Where the pool does not say, its cluster decides.

    Risk: each node can be reached from the internet as soon as a firewall rule is opened by mistake.
    Fix: gcloud container node-pools update POOL --cluster CLUSTER --location LOCATION --enable-private-nodes
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/latest/network-isolation
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    own = _part(pool, "networkConfig").get("enablePrivateNodes")
    if own is not None:
        return ok("private nodes on") if own else fail("private nodes off for the pool")
    cluster = _cluster_of(pool, clusters)
    on = _part(cluster, "networkConfig").get("defaultEnablePrivateNodes") or _part(
        cluster, "privateClusterConfig"
    ).get("enablePrivateNodes")
    return ok("private nodes on for the cluster") if on else fail("private nodes off for pool and cluster")


@check(clusters, severity="high")
def control_plane_limits_networks(cluster: Resource, *, min_prefix: int = 8) -> Verdict:
    """Control plane of the cluster can be reached by address from named networks only

    `min_prefix` is the shortest prefix of a network that counts as named. The DNS endpoint, where IAM checks
    every request, is not judged.

    Risk: anyone on the internet can try stolen tokens and use weaknesses of the Kubernetes API.
    Fix: gcloud container clusters update {name} --location LOCATION --enable-master-authorized-networks
        --master-authorized-networks=203.0.113.0/24
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/authorized-networks
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    if not _has_public_endpoint(cluster):
        return ok("no public endpoint")
    limits = _endpoints(cluster).get("authorizedNetworksConfig") or _part(
        cluster, "masterAuthorizedNetworksConfig"
    )
    if not limits.get("enabled"):
        return fail("public endpoint, authorised networks off")
    networks = [one["cidrBlock"] for one in limits.get("cidrBlocks") or ()]
    wide = [one for one in networks if ip_network(one, strict=False).prefixlen < min_prefix]
    if wide:
        return fail(f"authorised network {', '.join(wide)}")
    google = (
        "; all of Google Cloud's own addresses as well" if limits.get("gcpPublicCidrsAccessEnabled") else ""
    )
    return ok(f"authorised networks: {', '.join(networks) or 'none'}{google}")


@check(clusters, severity="medium")
def control_plane_has_no_public_address(cluster: Resource) -> Verdict:
    """Control plane of the cluster has no public address

    Risk: a mistake in the list of authorised networks opens the Kubernetes API to the internet.
    Fix: gcloud container clusters update {name} --location LOCATION --enable-private-endpoint, or
        --no-enable-ip-access with --enable-dns-access
    Source: https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    return fail("public endpoint on") if _has_public_endpoint(cluster) else ok("no public endpoint")


@check(clusters, severity="medium")
def cluster_gives_workloads_identities(cluster: Resource) -> Verdict:
    """Workloads of the cluster get service accounts of their own

    Risk: every pod acts with the rights of its node, or keeps a key of a service account.
    Fix: gcloud container clusters update {name} --location LOCATION --workload-pool=PROJECT.svc.id.goog
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    pool = _part(cluster, "workloadIdentityConfig").get("workloadPool")
    return ok(f"workload pool {pool}") if pool else fail("workload identity off")


@check(pools, clusters, severity="medium")
def pool_hides_its_node_identity(pool: Resource, *, clusters: list[Resource]) -> Verdict:
    """Pods of the pool do not get the credentials of their node

    Risk: any pod asks the metadata server for the node's token and acts with its rights.
    Fix: gcloud container node-pools update POOL --cluster CLUSTER --location LOCATION
        --workload-metadata=GKE_METADATA
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    mode = (pool["config"].get("workloadMetadataConfig") or {}).get("mode", "not set")
    if mode == "GKE_METADATA":
        return ok(f"workload metadata {mode}")
    if _autopilot(_cluster_of(pool, clusters)):
        return not_applicable("Autopilot: Google sets it")
    return fail(f"workload metadata {mode}")


@check(pools, clusters, severity="medium")
def pool_does_not_run_as_default_account(pool: Resource, *, clusters: list[Resource]) -> Verdict:
    """Nodes of the pool run as a service account of their own

    Risk: the default account has the role Editor unless somebody took it away: one taken-over node can change
        the whole project.
    Fix: gcloud container node-pools create NAME --cluster CLUSTER --location LOCATION
        --service-account=EMAIL, and delete the old pool. On Autopilot the account is set when the cluster is
        made.
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    account = pool["config"].get("serviceAccount") or "default"  # the documented default
    default = account == "default" or is_default_account(account)
    return fail(f"account {account}") if default else ok(f"account {account}")


@check(clusters, severity="medium")
def cluster_has_shielded_nodes(cluster: Resource) -> Verdict:
    """Nodes of the cluster prove that they are what they say

    Risk: whoever gets a node's bootstrap credentials passes for a node and reads its secrets.
    Fix: gcloud container clusters update {name} --location LOCATION --enable-shielded-nodes
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/shielded-gke-nodes
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    if _part(cluster, "shieldedNodes").get("enabled"):
        return ok("shielded nodes on")
    return not_applicable("Autopilot: Google sets it") if _autopilot(cluster) else fail("shielded nodes off")


@check(pools, clusters, severity="low")
def pool_boots_only_signed_software(pool: Resource, *, clusters: list[Resource]) -> Verdict:
    """Nodes of the pool boot only signed software, and watch that it stays so

    Risk: a boot kit or changed kernel stays unseen.
    Fix: gcloud container node-pools create NAME --cluster CLUSTER --location LOCATION --shielded-secure-boot
        --shielded-integrity-monitoring, and delete the old pool.
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/shielded-gke-nodes
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    shield = pool["config"].get("shieldedInstanceConfig") or {}
    off = [one for one in ("enableSecureBoot", "enableIntegrityMonitoring") if not shield.get(one)]
    if not off:
        return ok("secure boot and integrity monitoring on")
    if _autopilot(_cluster_of(pool, clusters)):
        return not_applicable("Autopilot: Google sets it")
    return fail(f"{', '.join(off)} off")


@check(clusters, severity="high")
def cluster_grants_by_roles_only(cluster: Resource) -> Verdict:
    """Cluster does not use legacy authorisation

    Risk: every service account of the cluster has full rights, whatever its roles say.
    Fix: gcloud container clusters update {name} --location LOCATION --no-enable-legacy-authorization
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    on = _part(cluster, "legacyAbac").get("enabled")
    return fail("legacy authorisation (ABAC) on") if on else ok("legacy authorisation (ABAC) off")


@check(clusters, severity="high")
def cluster_has_no_static_login(cluster: Resource) -> Verdict:
    """Cluster accepts neither a password nor a client certificate that Google issued

    Risk: a password or certificate that cannot be withdrawn opens the cluster with administrator's rights.
    Fix: gcloud container clusters update {name} --location LOCATION --no-enable-basic-auth; a certificate
        goes only with a new cluster, made with --no-issue-client-certificate.
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/api-server-authentication
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    login = cluster["masterAuth"]
    found = [
        *(["basic authentication"] if login.get("username") else []),
        *(["a client certificate"] if login.get("clientCertificate") else []),
    ]
    return fail(f"accepts {' and '.join(found)}") if found else ok("no password and no client certificate")


@check(clusters, severity="medium")
def cluster_enforces_network_policies(cluster: Resource) -> Verdict:
    """Cluster enforces network policies between pods

    Risk: a taken-over pod reaches every other pod.
    Fix: make the cluster anew with --enable-dataplane-v2, or gcloud container clusters update {name}
        --location LOCATION --update-addons=NetworkPolicy=ENABLED, then --enable-network-policy
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    provider = _part(cluster, "networkConfig").get("datapathProvider", "LEGACY_DATAPATH")
    if provider == "ADVANCED_DATAPATH":
        return ok("Dataplane V2, which enforces them")
    if _part(cluster, "networkPolicy").get("enabled"):
        return ok("network policy on")
    return fail(f"network policy off, datapath {provider}")


@check(clusters, severity="medium")
def cluster_sends_logs(cluster: Resource) -> Verdict:
    """Cluster sends logs of system and workloads to Cloud Logging

    Risk: what happened in the cluster is gone with the pod.
    Fix: gcloud container clusters update {name} --location LOCATION --logging=SYSTEM,WORKLOAD
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/config-logging-monitoring
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    return _components(cluster, "logging", ("SYSTEM_COMPONENTS", "WORKLOADS"))


@check(clusters, severity="low")
def cluster_sends_metrics(cluster: Resource) -> Verdict:
    """Cluster sends metrics of its system to Cloud Monitoring

    Risk: failing nodes and control plane raise no alarm.
    Fix: gcloud container clusters update {name} --location LOCATION --monitoring=SYSTEM
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/config-logging-monitoring
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    return _components(cluster, "monitoring", ("SYSTEM_COMPONENTS",))


def _components(cluster: Resource, what: str, wanted: tuple[str, ...]) -> Verdict:
    """Whether components are among those that send; an older cluster names the service only."""
    service = cluster.get(f"{what}Service")
    if f"{what}Config" not in cluster and service == f"{what}.googleapis.com/kubernetes":
        return ok(f"sent to {service}")
    on = (_part(cluster, f"{what}Config").get("componentConfig") or {}).get("enableComponents") or []
    missing = [one for one in wanted if one not in on]
    return fail(f"{', '.join(missing)} off") if missing else ok(f"{', '.join(sorted(on))} on")


@check(clusters, severity="medium")
def cluster_follows_a_release_channel(cluster: Resource) -> Verdict:
    """Cluster takes new versions from a release channel

    Risk: the control plane falls behind and runs with known weaknesses, or without support.
    Fix: gcloud container clusters update {name} --location LOCATION --release-channel=regular
    Source: https://cloud.google.com/kubernetes-engine/docs/concepts/release-channels
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    channel = _part(cluster, "releaseChannel").get("channel", "UNSPECIFIED")
    return fail("no release channel") if channel == "UNSPECIFIED" else ok(f"release channel {channel}")


@check(pools, severity="medium")
def pool_upgrades_itself(pool: Resource) -> Verdict:
    """Node pool upgrades itself

    Risk: nodes run on with weaknesses that newer versions have mended.
    Fix: gcloud container node-pools update POOL --cluster CLUSTER --location LOCATION --enable-autoupgrade
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/node-auto-upgrades
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    return ok("autoUpgrade on") if _part(pool, "management").get("autoUpgrade") else fail("autoUpgrade off")


@check(pools, severity="low")
def pool_repairs_itself(pool: Resource) -> Verdict:
    """Node pool replaces nodes that fail

    Risk: failed nodes stay until somebody notices, and capacity shrinks.
    Fix: gcloud container node-pools update POOL --cluster CLUSTER --location LOCATION --enable-autorepair
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/node-auto-repair
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    return ok("autoRepair on") if _part(pool, "management").get("autoRepair") else fail("autoRepair off")


@check(pools, clusters, severity="low")
def pool_grows_with_its_load(pool: Resource, *, clusters: list[Resource]) -> Verdict:
    """Node pool gets more nodes when pods do not fit

    Risk: under load, or when a zone is lost, pods wait for room that nobody adds.
    Fix: gcloud container clusters update CLUSTER --location LOCATION --node-pool POOL --enable-autoscaling
        --min-nodes 1 --max-nodes 5
    Source: https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-autoscaler
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    scaling = _part(pool, "autoscaling")
    if scaling.get("enabled"):
        most = scaling.get("totalMaxNodeCount") or scaling.get("maxNodeCount")
        return ok(f"autoscaling on, up to {most} nodes")
    if _autopilot(_cluster_of(pool, clusters)):
        return not_applicable("Autopilot: Google adds nodes")
    return fail("autoscaling off")


@check(clusters, severity="medium")
def cluster_encrypts_secrets(cluster: Resource) -> Verdict:
    """Cluster encrypts Kubernetes secrets under a key of one's own

    Above the encryption that Google gives every disk.

    Risk: whoever gets at the control plane's storage reads every secret of the cluster.
    Fix: gcloud container clusters update {name} --location LOCATION --database-encryption-key=KEY
    Source: https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    encryption = _part(cluster, "databaseEncryption")
    state = encryption.get("state", "UNKNOWN")
    if state in ("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED"):
        return ok(f"secrets {state} under {encryption.get('keyName')}")
    return fail(f"encryption of secrets {state}")


@check(clusters, severity="low")
def cluster_admits_only_authorized_images(cluster: Resource) -> Verdict:
    """Cluster admits only images that Binary Authorization allows

    Risk: an image that never went through the pipeline runs in production.
    Fix: gcloud container clusters update {name} --location LOCATION
        --binauthz-evaluation-mode=PROJECT_SINGLETON_POLICY_ENFORCE
    Source: https://cloud.google.com/binary-authorization/docs/setting-up
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    settings = _part(cluster, "binaryAuthorization")
    mode = settings.get("evaluationMode", "EVALUATION_MODE_UNSPECIFIED")
    if mode not in ("EVALUATION_MODE_UNSPECIFIED", "DISABLED"):
        return ok(f"Binary Authorization {mode}")
    if settings.get("enabled"):
        return ok("Binary Authorization on")
    return fail("Binary Authorization off")


@check(clusters, severity="medium")
def cluster_spans_zones(cluster: Resource) -> Verdict:
    """Cluster runs in more than one zone

    Its control plane, that is: a regional cluster has one in each of three zones.

    Risk: the loss of a zone takes the control plane, and with it every change and repair, away.
    Fix: make the cluster anew in a region: gcloud container clusters create NAME --location REGION
    Source: https://cloud.google.com/kubernetes-engine/docs/concepts/regional-clusters
    Verified: 2026-11-25, fields and values, by the discovery document of container v1.
    """
    location = str(cluster["location"])
    # europe-west1 is a region, europe-west1-b a zone.
    return fail(f"one zone, {location}") if location.count("-") > 1 else ok(f"region {location}")
