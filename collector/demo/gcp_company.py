"""The demo's company on Google Cloud: what stands there at the first run, and what has changed by the second.

The facts are in the form that `collector.demo.gcp` describes. Shop and payments run in `acme-prod`, reports
in `acme-data`; `acme-sandbox` is where everybody tries things, and it looks like it.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Facts = dict[str, Any]

ORGANIZATION = "123456789012"
PRODUCTION, STAGING = "300000000001", "300000000002"
PROJECTS = {
    "acme-prod": "400000000001",
    "acme-data": "400000000002",
    "acme-staging": "400000000003",
    "acme-sandbox": "400000000004",
}
REGION, ZONE = "europe-west1", "europe-west1-b"
COMPUTE = "https://www.googleapis.com/compute/v1"
KEY = f"projects/acme-prod/locations/{REGION}/keyRings/prod/cryptoKeys"

ACCESS_APPROVAL = "GET https://accessapproval.googleapis.com/v1/{+place}/accessApprovalSettings"
ACTIVITIES = (
    "GET https://policyanalyzer.googleapis.com/v1/projects/{project}/locations/global/activityTypes/{kind}"
    "/activities:query"
)
FIREWALL_POLICIES = "GET https://compute.googleapis.com/compute/v1/projects/{project}/global/firewallPolicies"
LIENS = "GET https://cloudresourcemanager.googleapis.com/v3/liens"
PATCHING = "GET https://osconfig.googleapis.com/v1/projects/{project}/patchDeployments"
PERIMETERS = "GET https://accesscontextmanager.googleapis.com/v1/{+policy}/servicePerimeters"
ACCESS_POLICIES = "GET https://accesscontextmanager.googleapis.com/v1/accessPolicies"
REPORTS = "GET https://osconfig.googleapis.com/v1/projects/{project}/locations/{zone}/instances/-/vulnerabilityReports"
RUNTIMES = "GET https://cloudfunctions.googleapis.com/v2/projects/{project}/locations/{location}/runtimes"


def asset(service: str, kind: str, name: str, data: Facts, **more: Any) -> Facts:
    """An asset of a service: `name` is what follows the service's host in its full name."""
    host = f"{service}.googleapis.com"
    return {"type": f"{host}/{kind}", "name": f"//{host}/{name}", "data": data, **more}


def grants(*bindings: tuple[str, list[str]], **more: Any) -> Facts:
    """An IAM policy: roles, without `roles/`, and who has them."""
    return {"bindings": [{"role": f"roles/{role}", "members": who} for role, who in bindings], **more}


def user(*names: str) -> list[str]:
    return [f"user:{name}@acme.example" for name in names]


def group(*names: str) -> list[str]:
    return [f"group:{name}@acme.example" for name in names]


def account(name: str, project: str) -> str:
    """The address of a service account."""
    return f"{name}@{project}.iam.gserviceaccount.com"


def of(project: str, *assets: Facts) -> list[Facts]:
    return [{"project": project, **one} for one in assets]


# --- what most projects have


def node(project: str, policy: Facts) -> Facts:
    """The IAM policy of a project; the rest of it is among `projects`."""
    name = f"//cloudresourcemanager.googleapis.com/projects/{PROJECTS[project]}"
    return {"type": "cloudresourcemanager.googleapis.com/Project", "name": name, "policy": policy}


def apis(project: str, *services: str) -> list[Facts]:
    place = f"projects/{PROJECTS[project]}"
    return [
        asset(
            "serviceusage",
            "Service",
            f"{place}/services/{one}.googleapis.com",
            {"name": f"{place}/services/{one}.googleapis.com", "parent": place, "state": "ENABLED"},
        )
        for one in services
    ]


def service_account(project: str, name: str, number: str, **data: Any) -> Facts:
    email = account(name, project)
    place = f"projects/{project}/serviceAccounts"
    whole = {"name": f"{place}/{email}", "email": email, "projectId": project, "uniqueId": number, **data}
    return asset("iam", "ServiceAccount", f"{place}/{number}", whole)


def account_key(project: str, name: str, number: str, key: str, made: str, expires: str) -> Facts:
    data = {
        "name": f"projects/{project}/serviceAccounts/{account(name, project)}/keys/{key}",
        "keyType": "USER_MANAGED",
        "keyOrigin": "GOOGLE_PROVIDED",
        "keyAlgorithm": "KEY_ALG_RSA_2048",
        "validAfterTime": f"{made}T08:00:00Z",
        "validBeforeTime": f"{expires}T08:00:00Z",
    }
    return asset("iam", "ServiceAccountKey", f"projects/{project}/serviceAccounts/{number}/keys/{key}", data)


def bucket(name: str, policy: Facts | None = None, **data: Any) -> Facts:
    """A bucket with the company's usual settings, in the form in which the inventory has them."""
    whole = {
        "name": name,
        "id": name,
        "kind": "storage#bucket",
        "location": "EUROPE-WEST1",
        "locationType": "region",
        "storageClass": "STANDARD",
        "metageneration": 2,
        "timeCreated": "2024-02-01T09:00:00Z",
        "iamConfiguration": {
            "publicAccessPrevention": "enforced",
            "bucketPolicyOnly": {"enabled": True},
            "uniformBucketLevelAccess": {"enabled": True},
        },
        "versioning": {"enabled": True},
        "softDeletePolicy": {"retentionDurationSeconds": "604800"},
        "encryption": {},
        "logging": {"logBucket": "acme-access-logs", "logObjectPrefix": name},
        "labels": {},
        "retentionPolicy": {},
        "website": {},
        **data,
    }
    held = {"policy": policy} if policy else {}
    return asset("storage", "Bucket", name, whole, location=REGION, **held)


def instance(project: str, name: str, number: str, **data: Any) -> Facts:
    """A machine with the company's usual settings."""
    place = f"projects/{project}/zones/{ZONE}"
    whole = {
        "id": number,
        "name": name,
        "status": "RUNNING",
        "zone": f"{COMPUTE}/{place}",
        "machineType": f"{COMPUTE}/{place}/machineTypes/e2-standard-2",
        "creationTimestamp": "2025-04-01T02:00:00.000-07:00",
        "canIpForward": False,
        "deletionProtection": True,
        "disks": [
            {
                "boot": True,
                "source": f"{COMPUTE}/{place}/disks/{name}",
                "guestOsFeatures": [{"type": "UEFI_COMPATIBLE"}],
            }
        ],
        "metadata": {"items": [{"key": "block-project-ssh-keys", "value": "true"}]},
        "networkInterfaces": [{"name": "nic0", "networkIP": "10.10.0.5"}],
        "serviceAccounts": [{"email": account("web", project), "scopes": [f"{SCOPES}/cloud-platform"]}],
        "shieldedInstanceConfig": {
            "enableSecureBoot": True,
            "enableVtpm": True,
            "enableIntegrityMonitoring": True,
        },
        **data,
    }
    return asset("compute", "Instance", f"{place}/instances/{name}", whole, location=ZONE)


SCOPES = "https://www.googleapis.com/auth"


def machine_settings(project: str) -> Facts:
    """What holds for all machines of a project."""
    data = {
        "name": project,
        "defaultServiceAccount": f"{PROJECTS[project]}-compute@developer.gserviceaccount.com",
        "commonInstanceMetadata": {"items": [{"key": "enable-oslogin", "value": "TRUE"}]},
    }
    return asset("compute", "Project", f"projects/{project}", data)


def disk(project: str, name: str, number: str, **data: Any) -> Facts:
    place = f"projects/{project}/zones/{ZONE}"
    whole = {"id": number, "name": name, "sizeGb": "50", "status": "READY", **data}
    whole["users"] = [f"{COMPUTE}/{place}/instances/{name}"]
    return asset("compute", "Disk", f"{place}/disks/{name}", whole, location=ZONE)


def network(project: str, name: str, number: str, **data: Any) -> Facts:
    whole = {"id": number, "name": name, "autoCreateSubnetworks": False, **data}
    return asset("compute", "Network", f"projects/{project}/global/networks/{name}", whole)


def subnet(project: str, name: str, number: str, **data: Any) -> Facts:
    whole = {
        "id": number,
        "name": name,
        "purpose": "PRIVATE",
        "ipCidrRange": "10.10.0.0/20",
        "privateIpGoogleAccess": True,
        "logConfig": {"enable": True, "flowSampling": 0.5, "aggregationInterval": "INTERVAL_5_SEC"},
        **data,
    }
    place = f"projects/{project}/regions/{REGION}/subnetworks/{name}"
    return asset("compute", "Subnetwork", place, whole, location=REGION)


def firewall(project: str, name: str, number: str, to: str, ports: list[str], **data: Any) -> Facts:
    """A rule of the network `to` that lets TCP in."""
    whole = {
        "id": number,
        "name": name,
        "network": f"{COMPUTE}/projects/{project}/global/networks/{to}",
        "direction": "INGRESS",
        "priority": 1000,
        "sourceRanges": ["35.235.240.0/20"],
        "allowed": [{"IPProtocol": "tcp", "ports": ports}],
        "logConfig": {"enable": True},
        **data,
    }
    return asset("compute", "Firewall", f"projects/{project}/global/firewalls/{name}", whole)


def database(project: str, name: str, *, settings: Facts, **data: Any) -> Facts:
    """A database with the company's usual settings, unless said otherwise."""
    usual = {
        "tier": "db-custom-2-8192",
        "availabilityType": "REGIONAL",
        "deletionProtectionEnabled": True,
        "storageAutoResize": True,
        "backupConfiguration": {
            "enabled": True,
            "pointInTimeRecoveryEnabled": True,
            "backupRetentionSettings": {"retainedBackups": 14, "retentionUnit": "COUNT"},
        },
        "ipConfiguration": {"ipv4Enabled": False, "sslMode": "ENCRYPTED_ONLY"},
        "databaseFlags": [
            {"name": "cloudsql.iam_authentication", "value": "on"},
            {"name": "log_connections", "value": "on"},
            {"name": "log_disconnections", "value": "on"},
            {"name": "log_error_verbosity", "value": "default"},
            {"name": "log_min_messages", "value": "warning"},
            {"name": "log_statement", "value": "ddl"},
        ],
    }
    whole = {
        "name": name,
        "project": project,
        "region": REGION,
        "state": "RUNNABLE",
        "instanceType": "CLOUD_SQL_INSTANCE",
        "databaseVersion": "POSTGRES_16",
        "settings": {**usual, **settings},
        **data,
    }
    place = f"projects/{project}/instances/{name}"
    made = asset("sqladmin", "Instance", place, whole, location=REGION)
    return {**made, "name": f"//cloudsql.googleapis.com/{place}"}


def crypto_key(name: str, **data: Any) -> Facts:
    whole = {
        "name": f"{KEY}/{name}",
        "purpose": "ENCRYPT_DECRYPT",
        "createTime": "2024-03-01T09:00:00Z",
        "destroyScheduledDuration": "2592000s",
        "primary": {"name": f"{KEY}/{name}/cryptoKeyVersions/4", "state": "ENABLED"},
        "versionTemplate": {"protectionLevel": "SOFTWARE", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"},
        **data,
    }
    return asset("cloudkms", "CryptoKey", f"{KEY}/{name}", whole, location=REGION)


def sink(place: str, name: str, to: str, **data: Any) -> Facts:
    whole = {"name": name, "destination": to, "createTime": "2024-02-01T09:00:00Z", **data}
    return asset("logging", "LogSink", f"{place}/sinks/{name}", whole)


def log_bucket(project: str, name: str, days: int, **data: Any) -> Facts:
    place = f"projects/{project}/locations/global/buckets/{name}"
    whole = {"name": place, "retentionDays": days, "lifecycleState": "ACTIVE", **data}
    return asset("logging", "LogBucket", place, whole)


def own_logs(project: str) -> list[Facts]:
    """The sinks and buckets that Google makes in each project."""
    place = f"logging.googleapis.com/projects/{project}/locations/global/buckets"
    required = 'LOG_ID("cloudaudit.googleapis.com/activity")'
    return [
        sink(f"projects/{project}", "_Required", f"{place}/_Required", filter=required),
        sink(f"projects/{project}", "_Default", f"{place}/_Default", filter=f"NOT {required}"),
        log_bucket(project, "_Required", 400, locked=True),
        log_bucket(project, "_Default", 30),
    ]


def log_alert(name: str, pattern: str) -> list[Facts]:
    """A metric that counts what `pattern` finds in the logs of `acme-prod`, and the alert on it."""
    number, place = PROJECTS["acme-prod"], "projects/acme-prod"
    filter_ = f'metric.type="logging.googleapis.com/user/{name}" AND resource.type="global"'
    condition = {"filter": filter_, "comparison": "COMPARISON_GT", "thresholdValue": 0, "duration": "0s"}
    policy = {
        "name": f"{place}/alertPolicies/{name}",
        "displayName": name,
        "enabled": True,
        "combiner": "OR",
        "notificationChannels": [f"{place}/notificationChannels/7001"],
        "conditions": [{"displayName": name, "conditionThreshold": condition}],
    }
    return [
        asset("logging", "LogMetric", f"{place}/metrics/{name}", {"name": name, "filter": pattern}),
        asset("monitoring", "AlertPolicy", f"projects/{number}/alertPolicies/{name}", policy),
    ]


def org_policy(place: str, constraint: str, *rules: Facts) -> Facts:
    name = f"{place}/policies/{constraint}"
    made = asset("orgpolicy", "Policy", name, {"name": name, "spec": {"rules": list(rules)}})
    return made if place.startswith("projects/") else {**made, "parent": place}


def contact(place: str, number: str, name: str, subjects: list[str], state: str = "VALID") -> Facts:
    data = {
        "name": f"{place}/contacts/{number}",
        "email": f"{name}@acme.example",
        "languageTag": "en",
        "notificationCategorySubscriptions": subjects,
        "validationState": state,
        "validateTime": "2025-11-03T09:00:00Z",
    }
    return asset("essentialcontacts", "Contact", f"{place}/contacts/{number}", data, parent=place)


def activity(kind: str, name: str, last: str, number: str = "") -> Facts:
    """When a service account or key was last used, as Policy Analyzer tells it."""
    about = {"serviceAccountId": number} if number else {}
    found: Facts = {
        "activityType": kind,
        "fullResourceName": name,
        "observationPeriod": {"startTime": "2024-06-01T07:00:00Z", "endTime": "2026-03-01T07:00:00Z"},
        "activity": {"serviceAccount": about} if about else {},
    }
    if last:
        found["activity"]["lastAuthenticatedTime"] = f"{last}T07:00:00Z"
    return found


# --- the organisation


HERE = f"organizations/{ORGANIZATION}"
AUDITED = [
    {"service": "allServices", "auditLogConfigs": [{"logType": "ADMIN_READ"}, {"logType": "DATA_WRITE"}]}
]
ENFORCED = {"enforce": True}

WHOLE = [
    {
        "type": "cloudresourcemanager.googleapis.com/Organization",
        "name": f"//cloudresourcemanager.googleapis.com/{HERE}",
        "parent": HERE,
        "policy": grants(
            ("resourcemanager.organizationAdmin", user("ada", "bob")),
            ("iam.securityReviewer", group("security")),
            ("logging.admin", group("platform")),
            ("owner", user("bob")),
            ("browser", ["domain:acme.example"]),
            auditConfigs=AUDITED,
        ),
    },
    {
        "type": "cloudresourcemanager.googleapis.com/Folder",
        "name": f"//cloudresourcemanager.googleapis.com/folders/{PRODUCTION}",
        "parent": f"folders/{PRODUCTION}",
        "policy": grants(
            ("viewer", group("on-call")),
            ("compute.viewer", user("ian")),  # who left in December
        ),
    },
    contact(HERE, "1", "security", ["SECURITY", "TECHNICAL_INCIDENTS"]),
    contact(HERE, "2", "legal", ["LEGAL", "SUSPENSION", "BILLING"]),
    contact(f"folders/{PRODUCTION}", "3", "ian", ["TECHNICAL"], "INVALID"),
    *(
        org_policy(HERE, constraint, ENFORCED)
        for constraint in (
            "compute.disableSerialPortAccess",
            "compute.requireOsLogin",
            "compute.requireShieldedVm",
            "compute.skipDefaultNetworkCreation",
            "iam.automaticIamGrantsForDefaultServiceAccounts",
            "iam.disableServiceAccountKeyUpload",
            "sql.restrictAuthorizedNetworks",
            "sql.restrictPublicIp",
            "storage.uniformBucketLevelAccess",
        )
    ),
    org_policy(HERE, "iam.allowedPolicyMemberDomains", {"values": {"allowedValues": ["is:C04acme00"]}}),
    org_policy(HERE, "gcp.resourceLocations", {"values": {"allowedValues": ["in:eu-locations"]}}),
    org_policy(
        HERE, "gcp.restrictTLSVersion", {"values": {"deniedValues": ["TLS_VERSION_1", "TLS_VERSION_1_1"]}}
    ),
    sink(
        HERE,
        "archive",
        "storage.googleapis.com/acme-audit-logs",
        includeChildren=True,
        writerIdentity=f"serviceAccount:service-org-{ORGANIZATION}@gcp-sa-logging.iam.gserviceaccount.com",
    )
    | {"parent": HERE},
    asset(
        "iam",
        "Role",
        f"{HERE}/roles/deployer",
        {
            "name": f"{HERE}/roles/deployer",
            "title": "Deployer",
            "stage": "GA",
            "includedPermissions": ["run.services.get", "run.services.update", "iam.serviceAccounts.actAs"],
        },
        parent=HERE,
    ),
]


# --- acme-prod: the shop, payments


PROD = [
    node(
        "acme-prod",
        grants(
            ("viewer", group("platform", "on-call")),
            ("run.developer", group("apps")),
            ("cloudsql.admin", user("cem")),
            ("cloudkms.admin", user("gus")),
            ("storage.admin", [f"serviceAccount:{account('deploy', 'acme-prod')}"]),
            ("editor", [f"serviceAccount:{PROJECTS['acme-prod']}@cloudservices.gserviceaccount.com"]),
            ("iam.serviceAccountTokenCreator", ["user:zoe@studio.example"]),
        ),
    ),
    *apis("acme-prod", "cloudasset", "compute", "container", "sqladmin", "cloudkms", "run", "storage"),
    service_account("acme-prod", "web", "110000000000000000001"),
    service_account("acme-prod", "deploy", "110000000000000000002", displayName="Deployments"),
    service_account("acme-prod", "reports", "110000000000000000003", disabled=True),
    account_key("acme-prod", "deploy", "110000000000000000002", "d3b107", "2024-09-02", "9999-12-31"),
    network("acme-prod", "core", "5001"),
    subnet("acme-prod", "apps", "5101"),
    subnet("acme-prod", "jobs", "5102", logConfig={"enable": False}),
    firewall("acme-prod", "from-iap", "5201", "core", ["22"]),
    firewall("acme-prod", "web", "5202", "core", ["443"], sourceRanges=["0.0.0.0/0"]),
    machine_settings("acme-prod"),
    instance("acme-prod", "mail-relay", "6001"),
    instance(
        "acme-prod",
        "legacy-ftp",
        "6002",
        networkInterfaces=[
            {
                "name": "nic0",
                "networkIP": "10.10.0.9",
                "accessConfigs": [
                    {"name": "External NAT", "type": "ONE_TO_ONE_NAT", "natIP": "203.0.113.40"}
                ],
            }
        ],
        serviceAccounts=[
            {
                "email": f"{PROJECTS['acme-prod']}-compute@developer.gserviceaccount.com",
                "scopes": [f"{SCOPES}/cloud-platform"],
            }
        ],
        shieldedInstanceConfig={"enableVtpm": True, "enableIntegrityMonitoring": True},
    ),
    disk(
        "acme-prod",
        "mail-relay",
        "6101",
        resourcePolicies=[f"{COMPUTE}/projects/acme-prod/regions/{REGION}/resourcePolicies/daily"],
        diskEncryptionKey={"kmsKeyName": f"{KEY}/disks/cryptoKeyVersions/4"},
    ),
    disk("acme-prod", "legacy-ftp", "6102"),
    asset(
        "compute",
        "ResourcePolicy",
        f"projects/acme-prod/regions/{REGION}/resourcePolicies/daily",
        {
            "id": "6201",
            "name": "daily",
            "status": "READY",
            "snapshotSchedulePolicy": {
                "schedule": {"dailySchedule": {"daysInCycle": 1, "startTime": "02:00"}},
                "retentionPolicy": {"maxRetentionDays": 14},
            },
        },
        location=REGION,
    ),
    asset(
        "compute",
        "BackendService",
        "projects/acme-prod/global/backendServices/shop",
        {
            "id": "6301",
            "name": "shop",
            "loadBalancingScheme": "EXTERNAL_MANAGED",
            "protocol": "HTTPS",
            "logConfig": {"enable": True, "sampleRate": 1},
            "securityPolicy": f"{COMPUTE}/projects/acme-prod/global/securityPolicies/edge",
        },
    ),
    asset(
        "compute",
        "SslPolicy",
        "projects/acme-prod/global/sslPolicies/modern",
        {"id": "6302", "name": "modern", "profile": "MODERN", "minTlsVersion": "TLS_1_2"},
    ),
    asset(
        "compute",
        "TargetHttpsProxy",
        "projects/acme-prod/global/targetHttpsProxies/shop",
        {
            "id": "6303",
            "name": "shop",
            "sslPolicy": f"{COMPUTE}/projects/acme-prod/global/sslPolicies/modern",
            "urlMap": f"{COMPUTE}/projects/acme-prod/global/urlMaps/shop",
        },
    ),
    asset(
        "container",
        "Cluster",
        f"projects/acme-prod/locations/{REGION}/clusters/shop",
        {
            "name": "shop",
            "location": REGION,
            "locations": [ZONE, f"{REGION}-c", f"{REGION}-d"],
            "status": "RUNNING",
            "masterAuth": {"clusterCaCertificate": "LS0t"},
            "networkConfig": {"datapathProvider": "ADVANCED_DATAPATH", "defaultEnablePrivateNodes": True},
            "controlPlaneEndpointsConfig": {
                "ipEndpointsConfig": {
                    "enabled": True,
                    "enablePublicEndpoint": True,
                    "authorizedNetworksConfig": {
                        "enabled": True,
                        "cidrBlocks": [{"displayName": "office", "cidrBlock": "198.51.100.0/24"}],
                    },
                }
            },
            "workloadIdentityConfig": {"workloadPool": "acme-prod.svc.id.goog"},
            "shieldedNodes": {"enabled": True},
            "loggingConfig": {"componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]}},
            "monitoringConfig": {"componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS"]}},
            "releaseChannel": {"channel": "REGULAR"},
            "databaseEncryption": {"state": "ENCRYPTED", "keyName": f"{KEY}/cluster"},
            "binaryAuthorization": {"evaluationMode": "DISABLED"},
        },
        location=REGION,
    ),
    asset(
        "container",
        "NodePool",
        f"projects/acme-prod/locations/{REGION}/clusters/shop/nodePools/main",
        {
            "name": "main",
            "status": "RUNNING",
            "autoscaling": {"enabled": True, "minNodeCount": 1, "maxNodeCount": 6},
            "management": {"autoUpgrade": True, "autoRepair": True},
            "config": {
                "serviceAccount": account("web", "acme-prod"),
                "workloadMetadataConfig": {"mode": "GKE_METADATA"},
                "shieldedInstanceConfig": {"enableSecureBoot": True, "enableIntegrityMonitoring": True},
                "metadata": {"disable-legacy-endpoints": "true"},
            },
        },
        location=REGION,
    ),
    database(
        "acme-prod",
        "orders",
        settings={
            "passwordValidationPolicy": {
                "enablePasswordPolicy": True,
                "minLength": 16,
                "complexity": "COMPLEXITY_DEFAULT",
            }
        },
        diskEncryptionConfiguration={"kmsKeyName": f"{KEY}/database"},
    ),
    database(
        "acme-prod",
        "payments",
        settings={
            "availabilityType": "ZONAL",
            "deletionProtectionEnabled": False,
            "ipConfiguration": {"ipv4Enabled": False, "sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"},
        },
    ),
    asset("cloudkms", "KeyRing", KEY.removesuffix("/cryptoKeys"), {"name": KEY.removesuffix("/cryptoKeys")}),
    crypto_key("database", rotationPeriod="7776000s", nextRotationTime="2026-05-10T00:00:00Z"),
    crypto_key("disks", rotationPeriod="7776000s", nextRotationTime="2026-05-10T00:00:00Z"),
    crypto_key("cluster"),
    asset(
        "cloudkms",
        "CryptoKeyVersion",
        f"{KEY}/database/cryptoKeyVersions/4",
        {"name": f"{KEY}/database/cryptoKeyVersions/4", "state": "ENABLED", "protectionLevel": "SOFTWARE"},
        location=REGION,
    ),
    bucket("acme-shop-images", grants(("storage.objectViewer", group("apps")))),
    bucket(
        "acme-site",
        grants(("storage.objectViewer", ["allUsers"])),
        iamConfiguration={
            "publicAccessPrevention": "inherited",
            "uniformBucketLevelAccess": {"enabled": True},
        },
        labels={"public-bucket": "web-site"},
    ),
    bucket(
        "acme-audit-logs",
        grants(("storage.objectAdmin", group("security"))),
        retentionPolicy={
            "retentionPeriod": 31536000,
            "isLocked": True,
            "effectiveTime": "2024-02-01T09:00:00Z",
        },
    ),
    asset(
        "run",
        "Service",
        f"projects/acme-prod/locations/{REGION}/services/checkout",
        {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {
                "name": "checkout",
                "namespace": PROJECTS["acme-prod"],
                "annotations": {"run.googleapis.com/ingress": "internal-and-cloud-load-balancing"},
            },
            "spec": {
                "template": {
                    "spec": {
                        "serviceAccountName": account("web", "acme-prod"),
                        "containers": [
                            {
                                "image": f"{REGION}-docker.pkg.dev/acme-prod/apps/checkout",
                                "env": [
                                    {"name": "LOG_LEVEL", "value": "info"},
                                    {
                                        "name": "DB_PASSWORD",
                                        "valueFrom": {"secretKeyRef": {"name": "orders-db", "key": "latest"}},
                                    },
                                ],
                            }
                        ],
                    }
                }
            },
        },
        location=REGION,
        policy=grants(("run.invoker", [f"serviceAccount:{account('web', 'acme-prod')}"])),
    ),
    asset(
        "artifactregistry",
        "Repository",
        f"projects/acme-prod/locations/{REGION}/repositories/apps",
        {
            "name": f"projects/acme-prod/locations/{REGION}/repositories/apps",
            "format": "DOCKER",
            "mode": "STANDARD_REPOSITORY",
            "dockerConfig": {"immutableTags": True},
            "vulnerabilityScanningConfig": {"enablementState": "SCANNING_ACTIVE"},
        },
        location=REGION,
    ),
    asset(
        "secretmanager",
        "Secret",
        f"projects/{PROJECTS['acme-prod']}/secrets/orders-db",
        {
            "name": f"projects/{PROJECTS['acme-prod']}/secrets/orders-db",
            "replication": {"automatic": {}},
            "rotation": {"rotationPeriod": "7776000s", "nextRotationTime": "2026-05-01T00:00:00Z"},
        },
        policy=grants(("secretmanager.secretAccessor", [f"serviceAccount:{account('web', 'acme-prod')}"])),
    ),
    asset(
        "secretmanager",
        "SecretVersion",
        f"projects/{PROJECTS['acme-prod']}/secrets/orders-db/versions/7",
        {
            "name": f"projects/{PROJECTS['acme-prod']}/secrets/orders-db/versions/7",
            "state": "ENABLED",
            "createTime": "2026-01-31T00:00:00Z",
        },
    ),
    asset(
        "dns",
        "ManagedZone",
        "projects/acme-prod/managedZones/8001",
        {
            "id": "8001",
            "name": "acme",
            "dnsName": "acme.example.",
            "visibility": "public",
            "dnssecConfig": {
                "state": "on",
                "defaultKeySpecs": [
                    {"keyType": "keySigning", "algorithm": "rsasha256", "keyLength": 2048},
                    {"keyType": "zoneSigning", "algorithm": "rsasha256", "keyLength": 1024},
                ],
            },
            "cloudLoggingConfig": {"enableLogging": True},
        },
    ),
    asset(
        "dns",
        "Policy",
        "projects/acme-prod/policies/8002",
        {
            "id": "8002",
            "name": "log-queries",
            "enableLogging": True,
            "networks": [{"networkUrl": f"{COMPUTE}/projects/acme-prod/global/networks/core"}],
        },
    ),
    asset(
        "redis",
        "Instance",
        f"projects/acme-prod/locations/{REGION}/instances/carts",
        {
            "name": f"projects/acme-prod/locations/{REGION}/instances/carts",
            "state": "READY",
            "tier": "STANDARD_HA",
            "authEnabled": True,
            "transitEncryptionMode": "DISABLED",
        },
        location=REGION,
    ),
    asset(
        "apikeys",
        "Key",
        f"projects/{PROJECTS['acme-prod']}/locations/global/keys/store-finder",
        {
            "name": f"projects/{PROJECTS['acme-prod']}/locations/global/keys/store-finder",
            "uid": "9001",
            "displayName": "Store finder",
            "createTime": "2025-01-20T09:00:00Z",
            "restrictions": {"apiTargets": [{"service": "maps-backend.googleapis.com"}]},
        },
    ),
    *own_logs("acme-prod"),
    *log_alert(
        "owner-changes",
        'protoPayload.serviceName="cloudresourcemanager.googleapis.com"'
        " AND (ProjectOwnership OR projectOwnerInvitee)"
        ' OR (protoPayload.serviceData.policyDelta.bindingDeltas.action="REMOVE"'
        ' AND protoPayload.serviceData.policyDelta.bindingDeltas.role="roles/owner")'
        ' OR (protoPayload.serviceData.policyDelta.bindingDeltas.action="ADD"'
        ' AND protoPayload.serviceData.policyDelta.bindingDeltas.role="roles/owner")',
    ),
    *log_alert(
        "audit-configuration-changes",
        'protoPayload.methodName="SetIamPolicy" AND protoPayload.serviceData.policyDelta.auditConfigDeltas:*',
    ),
    *log_alert(
        "firewall-changes",
        'resource.type="gce_firewall_rule" AND (protoPayload.methodName:"compute.firewalls.patch"'
        ' OR protoPayload.methodName:"compute.firewalls.insert"'
        ' OR protoPayload.methodName:"compute.firewalls.delete")',
    ),
    *log_alert(
        "network-changes",
        'resource.type="gce_network" AND (protoPayload.methodName:"compute.networks.insert"'
        ' OR protoPayload.methodName:"compute.networks.patch"'
        ' OR protoPayload.methodName:"compute.networks.delete"'
        ' OR protoPayload.methodName:"compute.networks.removePeering"'
        ' OR protoPayload.methodName:"compute.networks.addPeering")',
    ),
    *log_alert(
        "bucket-policy-changes",
        'resource.type="gcs_bucket" AND protoPayload.methodName="storage.setIamPermissions"',
    ),
    asset(
        "monitoring",
        "NotificationChannel",
        "projects/acme-prod/notificationChannels/7001",
        {
            "name": "projects/acme-prod/notificationChannels/7001",
            "type": "pagerduty",
            "displayName": "On call",
            "enabled": True,
        },
    ),
]


# --- the other projects


DATA = [
    node(
        "acme-data",
        grants(
            ("bigquery.dataViewer", group("analysts")),
            ("bigquery.admin", user("eve")),
            ("editor", user("hana")),
        ),
    ),
    *apis("acme-data", "cloudasset", "bigquery", "storage", "pubsub"),
    service_account("acme-data", "loader", "110000000000000000011"),
    asset(
        "bigquery",
        "Dataset",
        "projects/acme-data/datasets/sales",
        {
            "datasetReference": {"projectId": "acme-data", "datasetId": "sales"},
            "type": "DEFAULT",
            "location": "EU",
            "access": [{"role": "READER", "groupByEmail": "analysts@acme.example"}],
            "defaultEncryptionConfiguration": {"kmsKeyName": f"{KEY}/database"},
        },
        location="eu",
    ),
    asset(
        "bigquery",
        "Dataset",
        "projects/acme-data/datasets/open_prices",
        {
            "datasetReference": {"projectId": "acme-data", "datasetId": "open_prices"},
            "type": "DEFAULT",
            "location": "EU",
            "access": [{"role": "READER", "specialGroup": "allAuthenticatedUsers"}],
        },
        location="eu",
    ),
    asset(
        "bigquery",
        "Table",
        "projects/acme-data/datasets/sales/tables/orders",
        {
            "tableReference": {"projectId": "acme-data", "datasetId": "sales", "tableId": "orders"},
            "type": "TABLE",
            "encryptionConfiguration": {"kmsKeyName": f"{KEY}/database"},
        },
        location="eu",
    ),
    asset(
        "pubsub",
        "Topic",
        "projects/acme-data/topics/orders",
        {"name": "projects/acme-data/topics/orders", "kmsKeyName": f"{KEY}/database"},
        policy=grants(("pubsub.publisher", [f"serviceAccount:{account('web', 'acme-prod')}"])),
    ),
    asset(
        "pubsub",
        "Subscription",
        "projects/acme-data/subscriptions/loader",
        {
            "name": "projects/acme-data/subscriptions/loader",
            "topic": "projects/acme-data/topics/orders",
            "deadLetterPolicy": {
                "deadLetterTopic": "projects/acme-data/topics/failed",
                "maxDeliveryAttempts": 10,
            },
        },
    ),
    bucket(
        "acme-exports",
        grants(("storage.objectAdmin", group("analysts"))),
        versioning={},
        lifecycle={"rule": [{"action": {"type": "Delete"}, "condition": {"age": 90}}]},
    ),
    *own_logs("acme-data"),
]

STAGE = [
    node(
        "acme-staging",
        grants(
            ("viewer", group("platform", "apps")),
            ("run.admin", group("apps")),
            ("editor", ["user:zoe@studio.example"]),
        ),
    ),
    *apis("acme-staging", "compute", "run", "sqladmin", "storage"),
    service_account("acme-staging", "web", "110000000000000000021"),
    network("acme-staging", "core", "5003"),
    subnet("acme-staging", "apps", "5103", ipCidrRange="10.20.0.0/20"),
    firewall("acme-staging", "from-iap", "5203", "core", ["22"]),
    machine_settings("acme-staging"),
    instance("acme-staging", "builder", "6003"),
    disk("acme-staging", "builder", "6103"),
    database(
        "acme-staging",
        "orders-staging",
        settings={"availabilityType": "ZONAL", "deletionProtectionEnabled": False},
    ),
    bucket("acme-staging-images"),
    *own_logs("acme-staging"),
]

SANDBOX = [
    node(
        "acme-sandbox",
        grants(
            ("owner", user("dia", "finn", "ian")),
            ("editor", [f"serviceAccount:{PROJECTS['acme-sandbox']}-compute@developer.gserviceaccount.com"]),
        ),
    ),
    *apis("acme-sandbox", "compute", "cloudfunctions", "storage"),
    service_account("acme-sandbox", "try-out", "110000000000000000031"),
    account_key("acme-sandbox", "try-out", "110000000000000000031", "0ffee1", "2025-06-30", "9999-12-31"),
    network("acme-sandbox", "default", "5004", autoCreateSubnetworks=True),
    firewall(
        "acme-sandbox",
        "default-allow-ssh",
        "5204",
        "default",
        ["22"],
        sourceRanges=["0.0.0.0/0"],
        priority=65534,
        logConfig={"enable": False},
    ),
    asset(
        "cloudfunctions",
        "Function",
        f"projects/acme-sandbox/locations/{REGION}/functions/ping",
        {
            "name": f"projects/acme-sandbox/locations/{REGION}/functions/ping",
            "environment": "GEN_2",
            "state": "ACTIVE",
            "buildConfig": {"runtime": "python39", "entryPoint": "main"},
            "serviceConfig": {
                "service": f"projects/acme-sandbox/locations/{REGION}/services/ping",
                "ingressSettings": "ALLOW_ALL",
                "serviceAccountEmail": f"{PROJECTS['acme-sandbox']}-compute@developer.gserviceaccount.com",
            },
        },
        location=REGION,
    ),
    org_policy(
        f"projects/{PROJECTS['acme-sandbox']}", "storage.uniformBucketLevelAccess", {"enforce": False}
    ),
    *own_logs("acme-sandbox"),
]


# --- what services say themselves

OFF = "PERMISSION_DENIED"


def off(project: str, service: str) -> Facts:
    """The refusal of a service that is off in a project."""
    consumer = {"consumer": f"projects/{PROJECTS[project]}", "service": f"{service}.googleapis.com"}
    return {"code": OFF, "reason": "SERVICE_DISABLED", "metadata": consumer, "message": "It is disabled."}


def weaknesses(project: str, instance: str, *found: tuple[str, str, str]) -> Facts:
    """What VM Manager knows of a machine: CVE, severity and day of each, all with an update."""
    return {
        "name": f"projects/{PROJECTS[project]}/locations/{ZONE}/instances/{instance}/vulnerabilityReport",
        "updateTime": "2026-03-01T03:00:00Z",
        "vulnerabilities": [
            {
                "details": {"cve": cve, "severity": severity},
                "createTime": f"{since}T03:00:00Z",
                "items": [{"installedInventoryItemId": "a", "availableInventoryItemId": "b"}],
            }
            for cve, severity, since in found
        ],
    }


def used(project: str, kind: str, *activities: Facts) -> Facts:
    return {"when": {"project": project, "kind": kind}, "answer": {"activities": list(activities)}}


ACCOUNT_USE, KEY_USE = "serviceAccountLastAuthentication", "serviceAccountKeyLastAuthentication"
ACCOUNTS = "//iam.googleapis.com/projects/{}/serviceAccounts/{}"

ANSWERS: Facts = {
    ACCESS_APPROVAL: [
        {
            "when": {"place": HERE},
            "answer": {
                "name": f"{HERE}/accessApprovalSettings",
                "enrolledServices": [{"cloudProduct": "all", "enrollmentLevel": "BLOCK_ALL"}],
                "notificationEmails": ["security@acme.example"],
            },
        },
        {"answer": {"enrolledAncestor": True}},
    ],
    ACCESS_POLICIES: {"accessPolicies": [{"name": "accessPolicies/9", "parent": HERE, "title": "default"}]},
    PERIMETERS: {
        "servicePerimeters": [
            {
                "name": "accessPolicies/9/servicePerimeters/data",
                "title": "data",
                "status": {
                    "resources": [f"projects/{PROJECTS['acme-data']}"],
                    "restrictedServices": ["storage.googleapis.com", "bigquery.googleapis.com"],
                },
            }
        ]
    },
    LIENS: [
        {
            "when": {"parent": f"projects/{PROJECTS['acme-prod']}"},
            "answer": {
                "liens": [
                    {
                        "name": "liens/p1",
                        "parent": f"projects/{PROJECTS['acme-prod']}",
                        "restrictions": ["resourcemanager.projects.delete"],
                        "reason": "takes orders",
                        "origin": "platform",
                        "createTime": "2024-02-01T09:00:00Z",
                    }
                ]
            },
        },
        {"answer": {}},
    ],
    FIREWALL_POLICIES: [
        {"when": {"project": "acme-data"}, **off("acme-data", "compute")},
        {"answer": {"kind": "compute#firewallPolicyList", "items": []}},
    ],
    ACTIVITIES: [
        used(
            "acme-prod",
            ACCOUNT_USE,
            activity(
                ACCOUNT_USE,
                ACCOUNTS.format("acme-prod", account("web", "acme-prod")),
                "2026-02-28",
                "110000000000000000001",
            ),
            activity(
                ACCOUNT_USE,
                ACCOUNTS.format("acme-prod", account("deploy", "acme-prod")),
                "2026-02-27",
                "110000000000000000002",
            ),
        ),
        used(
            "acme-prod",
            KEY_USE,
            activity(
                KEY_USE,
                ACCOUNTS.format("acme-prod", "110000000000000000002/keys/d3b107"),
                "2026-02-27",
            ),
        ),
        used(
            "acme-data",
            ACCOUNT_USE,
            activity(
                ACCOUNT_USE,
                ACCOUNTS.format("acme-data", account("loader", "acme-data")),
                "2026-02-28",
                "110000000000000000011",
            ),
        ),
        used(
            "acme-staging",
            ACCOUNT_USE,
            activity(
                ACCOUNT_USE,
                ACCOUNTS.format("acme-staging", account("web", "acme-staging")),
                "2026-02-20",
                "110000000000000000021",
            ),
        ),
        used(
            "acme-sandbox",
            KEY_USE,
            activity(KEY_USE, ACCOUNTS.format("acme-sandbox", "110000000000000000031/keys/0ffee1"), ""),
        ),  # of the account itself it knows nothing, as of one that was made again under its old name
        {"answer": {}},
    ],
    PATCHING: [
        {
            "when": {"project": "acme-prod"},
            "answer": {
                "patchDeployments": [
                    {
                        "name": "projects/acme-prod/patchDeployments/weekly",
                        "instanceFilter": {"all": True},
                        "recurringSchedule": {
                            "frequency": "WEEKLY",
                            "weekly": {"dayOfWeek": "TUESDAY"},
                            "timeOfDay": {"hours": 3},
                            "timeZone": {"id": "Etc/UTC"},
                        },
                        "state": "ACTIVE",
                    }
                ]
            },
        },
        off("acme-staging", "osconfig"),
    ],
    REPORTS: [
        {
            "when": {"project": "acme-prod"},
            "answer": {
                "vulnerabilityReports": [
                    weaknesses("acme-prod", "6001"),
                    weaknesses("acme-prod", "6002", ("CVE-2025-21613", "CRITICAL", "2025-12-02")),
                ]
            },
        },
        off("acme-staging", "osconfig"),
    ],
    RUNTIMES: {
        "runtimes": [
            {
                "name": "python39",
                "environment": "GEN_2",
                "stage": "DEPRECATED",
                "deprecationDate": {"year": 2025, "month": 10, "day": 5},
                "decommissionDate": {"year": 2026, "month": 10, "day": 5},
            },
            {"name": "python312", "environment": "GEN_2", "stage": "GA"},
        ]
    },
}

FACTS: Facts = {
    "organizations": {
        ORGANIZATION: {"displayName": "acme.example", "owner": {"directoryCustomerId": "C04acme00"}}
    },
    "folders": {
        PRODUCTION: {"displayName": "production", "parent": HERE},
        STAGING: {"displayName": "staging", "parent": HERE},
    },
    "projects": {
        "acme-prod": {
            "number": PROJECTS["acme-prod"],
            "name": "Acme production",
            "parent": f"folders/{PRODUCTION}",
            "labels": {"environment": "production", "team": "platform"},
        },
        "acme-data": {
            "number": PROJECTS["acme-data"],
            "name": "Acme data",
            "parent": f"folders/{PRODUCTION}",
            "labels": {"environment": "production", "team": "analysts"},
        },
        "acme-staging": {
            "number": PROJECTS["acme-staging"],
            "name": "Acme staging",
            "parent": f"folders/{STAGING}",
            "labels": {"environment": "staging", "team": "platform"},
        },
        "acme-sandbox": {
            "number": PROJECTS["acme-sandbox"],
            "name": "Acme sandbox",
            "parent": HERE,
            "labels": {},
        },
        "acme-legacy": {
            "number": "400000000005",
            "name": "Acme shop 1.0",
            "parent": HERE,
            "state": "DELETE_REQUESTED",
        },
    },
    "assets": [
        *WHOLE,
        *of("acme-prod", *PROD),
        *of("acme-data", *DATA),
        *of("acme-staging", *STAGE),
        *of("acme-sandbox", *SANDBOX),
    ],
    **ANSWERS,
}


def changed(before: Facts) -> Facts:
    """The facts four weeks later."""
    facts = deepcopy(before)
    assets = facts["assets"]
    by_name = {(one["type"].partition("/")[2], one["name"].rsplit("/", 1)[1]): one for one in assets}

    def data(kind: str, name: str) -> Facts:
        return by_name[kind, name]["data"]  # type: ignore[no-any-return]

    def policy(kind: str, name: str) -> Facts:
        return by_name[kind, name]["policy"]  # type: ignore[no-any-return]

    # What goes wrong: the night of the hotfix, and what nobody looked at.
    assets += of(
        "acme-prod",
        firewall("acme-prod", "debug", "5299", "core", ["22", "5432"], sourceRanges=["0.0.0.0/0"]),
        account_key("acme-prod", "deploy", "110000000000000000002", "7a11ed", "2026-03-18", "9999-12-31"),
    )
    key_use = ACCOUNTS.format("acme-prod", "110000000000000000002/keys/7a11ed")
    facts[ACTIVITIES][1]["answer"]["activities"].append(activity(KEY_USE, key_use, "2026-03-28"))
    policy("Project", PROJECTS["acme-prod"])["bindings"].append(
        {"role": "roles/owner", "members": user("bob")}
    )
    policy("Bucket", "acme-exports")["bindings"].append(
        {"role": "roles/storage.objectViewer", "members": ["allUsers"]}
    )
    data("Bucket", "acme-exports")["iamConfiguration"]["publicAccessPrevention"] = "inherited"
    data("Instance", "orders-staging")["settings"]["ipConfiguration"] = {
        "ipv4Enabled": True,
        "sslMode": "ENCRYPTED_ONLY",
        "authorizedNetworks": [{"name": "home", "value": "0.0.0.0/0"}],
    }
    data("NotificationChannel", "7001")["enabled"] = False
    version = by_name["CryptoKeyVersion", "4"]
    version["data"] |= {"state": "DESTROY_SCHEDULED", "destroyTime": "2026-04-20T00:00:00Z"}

    # What is put right.
    gone = {("Network", "default"), ("Firewall", "default-allow-ssh"), ("ServiceAccountKey", "0ffee1")}
    facts["assets"] = [one for one in assets if one not in [by_name[key] for key in gone]]
    for key in (("Folder", PRODUCTION), ("Project", PROJECTS["acme-sandbox"])):
        for binding in policy(*key)["bindings"]:
            binding["members"] = [one for one in binding["members"] if one not in user("ian")]
    policy("Folder", PRODUCTION)["bindings"].pop()
    policy("Project", PROJECTS["acme-prod"])["bindings"] = [
        one for one in policy("Project", PROJECTS["acme-prod"])["bindings"] if "studio" not in str(one)
    ]
    data("Contact", "3").update(email="on-call@acme.example", validationState="VALID")
    data("Subnetwork", "jobs")["logConfig"] = {"enable": True, "flowSampling": 0.5}
    data("Instance", "payments")["settings"] |= {
        "availabilityType": "REGIONAL",
        "deletionProtectionEnabled": True,
        "ipConfiguration": {"ipv4Enabled": False, "sslMode": "ENCRYPTED_ONLY"},
    }
    data("Instance", "carts")["transitEncryptionMode"] = "SERVER_AUTHENTICATION"
    data("CryptoKey", "cluster").update(rotationPeriod="7776000s", nextRotationTime="2026-06-10T00:00:00Z")
    data("Cluster", "shop")["binaryAuthorization"] = {"evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"}
    facts["assets"].append(org_policy(HERE, "iam.disableServiceAccountKeyCreation", ENFORCED))
    facts["projects"]["acme-sandbox"]["labels"] = {"environment": "sandbox", "team": "apps"}
    return facts
