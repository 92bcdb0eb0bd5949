"""Compute Engine: project metadata, instances, disks, snapshots and images.

https://cloud.google.com/compute/docs/reference/rest/v1
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks._secrets import shown
from checks.gcp._environment import holds_no_known_secret
from checks.gcp._managed import by_service
from checks.gcp._members import is_default_account
from checks.gcp._names import asset_name, described, short, without
from checks.gcp._own_key import under_own_key
from checks.gcp._policies import bindings_of, open_to_nobody_unknown
from checks.gcp.backupdr import associations, covers
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

SWITCHES = ("enable-oslogin", "enable-oslogin-2fa", "block-project-ssh-keys", "serial-port-enable")
"""Metadata keys that turn something on or off. Other values, scripts and keys among them, are redacted."""

ON = ("true", "1", "y", "yes")
"""How metadata says yes, in any case: https://cloud.google.com/compute/docs/metadata/setting-custom-metadata"""

GKE_OWN = ("kube-env", "kubeconfig")
"""What GKE writes into the metadata of its nodes, with credentials that it makes and renews itself."""

ALL_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""The scope that leaves it to IAM alone what the account may do."""

RUNTIME = (
    "cpuPlatform",
    "lastStartTimestamp",
    "lastStopTimestamp",
    "lastSuspendedTimestamp",
    "statusMessage",
)
"""What changes with every start."""


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def project_settings(gcp: Any) -> Iterator[Resource]:
    """The project's own settings, with the metadata that all its instances inherit. Values are redacted."""
    for asset in gcp.assets("compute.googleapis.com/Project"):
        data = asset["resource"]["data"]
        yield resource(
            asset["name"],
            name=data.get("name") or short(asset["name"]),
            config={
                "metadata": _metadata(data.get("commonInstanceMetadata"), gcp.redact),
                "defaultServiceAccount": data.get("defaultServiceAccount"),
            },
        )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def instances(gcp: Any) -> Iterator[Resource]:
    """Every virtual machine. Values of metadata are redacted."""
    for asset in gcp.assets("compute.googleapis.com/Instance"):
        data = asset["resource"]["data"]
        status = data.get("resourceStatus") or {}
        yield resource(
            asset["name"],
            config={
                **without(data, "resourceStatus", *RUNTIME),
                "metadata": _metadata(data.get("metadata"), gcp.redact),
                "effectiveInstanceMetadata": status.get("effectiveInstanceMetadata") or {},
            },
        )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def templates(gcp: Any) -> Iterator[Resource]:
    """The metadata of every instance template. Values are redacted."""
    for asset in gcp.assets("compute.googleapis.com/InstanceTemplate"):
        properties = asset["resource"]["data"].get("properties") or {}
        yield resource(asset["name"], config={"metadata": _metadata(properties.get("metadata"), gcp.redact)})


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def disks(gcp: Any) -> Iterator[Resource]:
    """Every zonal and regional disk."""
    yield from described(
        gcp.assets("compute.googleapis.com/Disk", "compute.googleapis.com/RegionDisk"),
        drop=("lastAttachTimestamp", "lastDetachTimestamp"),
    )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def schedules(gcp: Any) -> Iterator[Resource]:
    """Every resource policy, snapshot schedules among them."""
    yield from described(gcp.assets("compute.googleapis.com/ResourcePolicy"), drop=("resourceStatus",))


@evidence(calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"], per="project")
def snapshots(gcp: Any) -> Iterator[Resource]:
    """Every snapshot of a disk, with who may use it."""
    yield from _shareable(gcp, "compute.googleapis.com/Snapshot")


@evidence(calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"], per="project")
def images(gcp: Any) -> Iterator[Resource]:
    """Every image and machine image of the project's own, with who may use it."""
    yield from _shareable(gcp, "compute.googleapis.com/Image", "compute.googleapis.com/MachineImage")


def _shareable(gcp: Any, *asset_types: str) -> Iterator[Resource]:
    """Each asset with its bindings; a machine image without its instance, whose metadata may hold secrets."""
    bindings = bindings_of(gcp, *asset_types)
    for asset in gcp.assets(*asset_types):
        data = without(asset["resource"]["data"], "instanceProperties", "sourceInstanceProperties")
        yield resource(asset["name"], config={**data, "iamBindings": bindings(asset["name"])})


def _metadata(metadata: Mapping[str, Any] | None, redact: Any) -> dict[str, str]:
    items = (metadata or {}).get("items") or ()
    values = {str(item["key"]): str(item.get("value", "")) for item in items}
    return {key: value if key in SWITCHES else shown(value, redact) for key, value in values.items()}


def _setting(instance: Resource, settings: list[Resource], key: str, effective: str = "") -> tuple[bool, str]:
    """Whether a switch of the metadata is on for an instance, and the words that say who set it.

    What Google states as in effect counts first, then the instance's own value, then the project's.
    """
    stated = instance["effectiveInstanceMetadata"].get(effective)
    if stated is not None:
        return bool(stated), f"{key} {'on' if stated else 'off'} in effect"
    if (own := instance["metadata"].get(key)) is not None:
        return own.lower() in ON, f"{key}={own} on the instance"
    shared = _project(settings)["metadata"].get(key)
    if shared is not None:
        return shared.lower() in ON, f"{key}={shared} in the project"
    return False, f"{key} set on neither instance nor project"


def _project(settings: list[Resource]) -> Resource:
    for project in settings:
        return project
    raise NotCollectedError(Reason.NOT_SEEN, "the inventory has no compute.googleapis.com/Project")


def _holds_no_known_secret(item: Resource) -> Verdict:
    return holds_no_known_secret(
        {key: item["metadata"][key] for key in item["metadata"] if key not in GKE_OWN}
    )


def _is_windows(instance: Resource) -> bool:
    features = [one for disk in instance.get("disks", ()) for one in disk.get("guestOsFeatures", ())]
    return any(one.get("type") == "WINDOWS" for one in features)


@check(project_settings, severity="medium")
def project_requires_os_login(project: Resource) -> Verdict:
    """Project has OS Login on for all its instances

    Risk: keys in metadata outlive the people they belong to, and IAM neither grants nor records the login.
    Fix: gcloud compute project-info add-metadata --metadata enable-oslogin=TRUE --project PROJECT
    Source: https://cloud.google.com/compute/docs/oslogin/set-up-oslogin
    Verified: 2026-11-25, key and its default, by a published copy of the CIS benchmark.
    """
    value = project["metadata"].get("enable-oslogin", "not set")
    sentence = f"enable-oslogin {value} in the project"
    return ok(sentence) if value.lower() in ON else fail(sentence)


@check(project_settings, severity="medium")
def project_requires_second_factor_for_login(project: Resource) -> Verdict:
    """Project asks for a second factor when people log in to instances

    Risk: a stolen key is enough to open a shell on every instance.
    Fix: gcloud compute project-info add-metadata --project PROJECT
        --metadata enable-oslogin=TRUE,enable-oslogin-2fa=TRUE
    Source: https://cloud.google.com/compute/docs/oslogin/set-up-oslogin
    Verified: 2026-11-25, that 2FA needs OS Login; the keys by another tool's page.
    """
    metadata = project["metadata"]
    values = {key: metadata.get(key, "not set") for key in ("enable-oslogin", "enable-oslogin-2fa")}
    sentence = ", ".join(f"{key} {value}" for key, value in values.items())
    return ok(sentence) if all(value.lower() in ON for value in values.values()) else fail(sentence)


@check(instances, project_settings, severity="medium")
def instance_uses_os_login(instance: Resource, *, project_settings: list[Resource]) -> Verdict:
    """Instance lets people in by OS Login

    The instance's own metadata overrides the project's.

    Risk: keys in metadata outlive the people they belong to, and IAM neither grants nor records the login.
    Fix: gcloud compute instances add-metadata {name} --zone ZONE --metadata enable-oslogin=TRUE
    Source: https://cloud.google.com/compute/docs/oslogin/set-up-oslogin
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    if _is_windows(instance):
        return not_applicable("Windows: OS Login is for Linux")
    if managed := by_service(instance):
        return managed
    on, sentence = _setting(instance, project_settings, "enable-oslogin", "enableOsloginMetadataValue")
    return ok(sentence) if on else fail(sentence)


@check(instances, project_settings, severity="medium")
def instance_refuses_project_keys(instance: Resource, *, project_settings: list[Resource]) -> Verdict:
    """Instance does not accept SSH keys of the whole project

    OS Login makes an instance ignore keys in metadata.

    Risk: one key in the project's metadata opens every instance of the project.
    Fix: gcloud compute instances add-metadata {name} --zone ZONE --metadata block-project-ssh-keys=TRUE
    Source: https://cloud.google.com/compute/docs/connect/restrict-ssh-keys
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    if _is_windows(instance):
        return not_applicable("Windows: SSH keys are for Linux")
    if managed := by_service(instance):
        return managed
    blocked, sentence = _setting(
        instance, project_settings, "block-project-ssh-keys", "blockProjectSshKeysMetadataValue"
    )
    if blocked:
        return ok(sentence)
    login, by = _setting(instance, project_settings, "enable-oslogin", "enableOsloginMetadataValue")
    return ok(f"keys in metadata are ignored: {by}") if login else fail(sentence)


@check(instances, project_settings, severity="medium")
def instance_serial_port_is_closed(instance: Resource, *, project_settings: list[Resource]) -> Verdict:
    """Instance does not let people in by its serial port

    Risk: the interactive console can be reached from any address, past every firewall rule.
    Fix: gcloud compute instances add-metadata {name} --zone ZONE --metadata serial-port-enable=FALSE
    Source: https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-using-serial-console
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    on, sentence = _setting(instance, project_settings, "serial-port-enable", "serialPortEnableMetadataValue")
    return fail(sentence) if on else ok(sentence)


@check(instances, severity="medium")
def instance_does_not_forward_packets(instance: Resource) -> Verdict:
    """Instance sends and takes only packets of its own

    Risk: a taken-over instance can pass for others and carry traffic around the network's rules.
    Fix: gcloud compute instances export {name} --zone ZONE --destination FILE, set canIpForward to false,
        and gcloud compute instances update-from-file {name} --zone ZONE --source FILE
    Source: https://cloud.google.com/vpc/docs/using-routes
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    if managed := by_service(instance):
        return managed
    # The field is left out where it is false.
    return fail("canIpForward on") if instance.get("canIpForward") else ok("canIpForward off")


@check(instances, severity="medium")
def instance_is_shielded(instance: Resource, *, secure_boot: bool = False) -> Verdict:
    """Instance is a shielded VM

    With virtual TPM and integrity monitoring; `secure_boot` asks for that too, which unsigned drivers bar.

    Risk: a boot kit or changed kernel stays unseen.
    Fix: stop it, then gcloud compute instances update {name} --zone ZONE --shielded-vtpm
        --shielded-integrity-monitoring
    Source: https://cloud.google.com/compute/shielded-vm/docs/shielded-vm
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    if managed := by_service(instance):
        return managed
    shield = instance.get("shieldedInstanceConfig") or {}
    wanted = {"enableVtpm", "enableIntegrityMonitoring"} | ({"enableSecureBoot"} if secure_boot else set())
    off = sorted(one for one in wanted if not shield.get(one))
    return fail(f"{', '.join(off)} off") if off else ok(f"{', '.join(sorted(wanted))} on")


@check(instances, severity="low")
def instance_is_confidential(instance: Resource) -> Verdict:
    """Instance keeps its memory encrypted

    Risk: data in use can be read by whoever gets at the host's memory.
    Fix: make the instance anew: gcloud compute instances create NAME --zone ZONE --machine-type
        n2d-standard-2 --confidential-compute-type SEV
    Source: https://cloud.google.com/confidential-computing/confidential-vm/docs/confidential-vm-overview
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    if managed := by_service(instance):
        return managed
    confidential = instance.get("confidentialInstanceConfig") or {}
    kind = confidential.get("confidentialInstanceType", "CONFIDENTIAL_INSTANCE_TYPE_UNSPECIFIED")
    if kind != "CONFIDENTIAL_INSTANCE_TYPE_UNSPECIFIED":
        return ok(f"confidential computing {kind}")
    if confidential.get("enableConfidentialCompute"):
        return ok("confidential computing on")
    return fail("confidential computing off")


@check(instances, severity="medium")
def instance_has_no_public_address(instance: Resource, *, allowed_label: str = "public-address") -> Verdict:
    """Instance has no public address, unless it is labelled as meant to have one

    `allowed_label` is the key of that label. IPv6 counts as well as IPv4.

    Risk: the instance can be reached from the internet as soon as a firewall rule is opened by mistake.
    Fix: gcloud compute instances delete-access-config {name} --zone ZONE, and use Cloud NAT and
        Identity-Aware Proxy; or label it: gcloud compute instances add-labels {name} --zone ZONE --labels
        public-address=REASON
    Source: https://cloud.google.com/compute/docs/ip-addresses/configure-static-external-ip-address
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    if managed := by_service(instance):
        return managed
    found = [
        config.get("natIP") or config.get("externalIpv6") or "one that changes with each start"
        for interface in instance.get("networkInterfaces", ())
        for config in (*interface.get("accessConfigs", ()), *interface.get("ipv6AccessConfigs", ()))
    ]
    if not found:
        return ok("no public address")
    stated = f"public address {', '.join(sorted(found))}"
    labels = instance.get("labels") or {}
    if allowed_label in labels:
        return ok(f"{stated}, meant to be: label {allowed_label}={labels[allowed_label]}")
    return fail(stated)


@check(instances, severity="medium")
def instance_does_not_run_as_default_account(instance: Resource) -> Verdict:
    """Instance runs as a service account of its own

    Risk: the default account has the role Editor unless somebody took it away: one taken-over instance
        can change the whole project.
    Fix: stop it, then gcloud compute instances set-service-account {name} --zone ZONE --service-account EMAIL
        --scopes cloud-platform
    Source: https://cloud.google.com/compute/docs/access/service-accounts
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    if managed := by_service(instance):
        return managed
    accounts = [one["email"] for one in instance.get("serviceAccounts", ())]
    if not accounts:
        return ok("no service account")
    default = [email for email in accounts if is_default_account(email)]
    return fail(f"default account {default[0]}") if default else ok(f"account {', '.join(accounts)}")


@check(instances, severity="high")
def instance_has_no_full_access_as_default_account(instance: Resource) -> Verdict:
    """Instance does not have full access to all APIs as the default account

    Risk: whoever runs a command on the instance can do all that the role Editor allows.
    Fix: stop it, then gcloud compute instances set-service-account {name} --zone ZONE --service-account EMAIL
        --scopes cloud-platform
    Source: https://cloud.google.com/compute/docs/access/service-accounts
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    if managed := by_service(instance):
        return managed
    for account in instance.get("serviceAccounts", ()):
        if is_default_account(account["email"]) and ALL_SCOPE in account.get("scopes", ()):
            return fail(f"default account {account['email']} with scope {ALL_SCOPE}")
    return ok("no default account with full access")


@check(instances, severity="high")
def instance_metadata_holds_no_known_secret(instance: Resource) -> Verdict:
    """Instance's metadata, startup script included, holds nothing that has the form of a secret

    Access keys, tokens, private keys and passwords in URLs are told by their form.

    Risk: every process on the instance, and everyone who may see it, reads the secret.
    Fix: keep it in Secret Manager, fetch it at start, take it out of the metadata and replace the secret.
    Source: https://cloud.google.com/compute/docs/metadata/overview
    Verified: 2026-11-25, fields, by the discovery document of compute v1.
    """
    return _holds_no_known_secret(instance)


@check(templates, severity="high")
def template_metadata_holds_no_known_secret(template: Resource) -> Verdict:
    """Metadata in the instance template, startup script included, holds nothing that has the form of a secret

    Risk: everyone who may see templates reads the secret, and each new machine gets it.
    Fix: keep it in Secret Manager, make a new template without it, delete this one and replace the secret.
    Source: https://cloud.google.com/compute/docs/instance-templates
    Verified: 2026-11-25, fields, by the discovery document of compute v1.
    """
    return _holds_no_known_secret(template)


@check(project_settings, severity="high")
def project_metadata_holds_no_known_secret(project: Resource) -> Verdict:
    """Project's metadata holds nothing that has the form of a secret

    Risk: every process on every instance of the project reads the secret.
    Fix: keep it in Secret Manager and take it out: gcloud compute project-info remove-metadata --keys KEY
    Source: https://cloud.google.com/compute/docs/metadata/overview
    Verified: 2026-11-25, fields, by the discovery document of compute v1.
    """
    return _holds_no_known_secret(project)


@check(disks, severity="low")
def disk_is_encrypted_under_own_key(disk: Resource) -> Verdict:
    """Disk is encrypted under a key of one's own

    A Cloud KMS key (CMEK) or a key that is handed over with each use (CSEK). Google encrypts every disk in
    any case.

    Risk: access to the data cannot be withdrawn, or its use seen, by way of the key.
    Fix: make the disk anew from a snapshot: gcloud compute disks create NAME --zone ZONE
        --source-snapshot SNAPSHOT --kms-key KEY
    Source: https://cloud.google.com/compute/docs/disks/customer-managed-encryption
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    if managed := by_service(disk):
        return managed
    key = disk.get("diskEncryptionKey") or {}
    if key.get("sha256") and not key.get("kmsKeyName"):
        return ok("key supplied by the customer (CSEK)")
    return under_own_key(key.get("kmsKeyName"))


@check(disks, schedules, associations, severity="medium")
def disk_is_backed_up(disk: Resource, *, schedules: list[Resource], associations: list[Resource]) -> Verdict:
    """Disk is backed up by a schedule

    By a snapshot schedule, or by a plan of Backup and DR for the disk or an instance that it is attached to.

    Risk: after a deletion, a fault or an attack the data is gone.
    Fix: gcloud compute resource-policies create snapshot-schedule NAME --region REGION --daily-schedule ...,
        and gcloud compute disks add-resource-policies {name} --zone ZONE --resource-policies NAME
    Source: https://cloud.google.com/compute/docs/disks/scheduled-snapshots
    Verified: 2026-11-25, fields and values, by the discovery document of compute v1.
    """
    if managed := by_service(disk):
        return managed
    attached = {asset_name(link) for link in disk.get("resourcePolicies", ())}
    if attached:
        for policy in schedules:
            if policy.key in attached and "snapshotSchedulePolicy" in policy:
                return ok(f"snapshot schedule {policy.name}")
    links = [disk.key, *disk.get("users", ())]
    for plan in associations:
        if any(covers(plan, link) for link in links):
            return ok(f"backup plan {short(plan.get('backupPlan') or '')}")
    return fail("no snapshot schedule and no backup plan")


@check(snapshots, severity="critical")
def snapshot_is_not_public(snapshot: Resource) -> Verdict:
    """Snapshot is shared with nobody unknown

    Risk: anyone with a Google account can copy the disk.
    Fix: gcloud compute snapshots remove-iam-policy-binding {name} --member allAuthenticatedUsers --role ROLE
    Source: https://cloud.google.com/compute/docs/access/granting-access-to-resources
    Verified: 2026-11-25, form of policy and members, by the discovery document of compute v1.
    """
    return open_to_nobody_unknown(snapshot["iamBindings"])


@check(images, severity="high")
def image_is_not_public(image: Resource) -> Verdict:
    """Image is shared with nobody unknown

    Risk: anyone with a Google account can start it, and read whatever was left in it.
    Fix: gcloud compute images remove-iam-policy-binding {name} --member allAuthenticatedUsers --role ROLE
    Source: https://cloud.google.com/compute/docs/images/managing-access-custom-images
    Verified: 2026-11-25, form of policy and members, by the discovery document of compute v1.
    """
    return open_to_nobody_unknown(image["iamBindings"])
