"""Organisation policies: which constraints hold on the organisation, its folders and its projects.

https://cloud.google.com/resource-manager/docs/organization-policy/overview
https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from checks.gcp._hierarchy import FOLDER, ORGANIZATION, PROJECT, TREE, above, name_of, place
from checks.gcp._names import told, without
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

POLICY = "orgpolicy.googleapis.com/Policy"

GUARDED = (
    "compute.disableSerialPortAccess",
    "compute.managed.disableSerialPortAccess",
    "compute.managed.requireOsLogin",
    "compute.managed.vmExternalIpAccess",
    "compute.requireOsLogin",
    "compute.requireShieldedVm",
    "compute.skipDefaultNetworkCreation",
    "compute.vmExternalIpAccess",
    "gcp.resourceLocations",
    "gcp.restrictTLSVersion",
    "iam.allowedPolicyMemberDomains",
    "iam.automaticIamGrantsForDefaultServiceAccounts",
    "iam.disableServiceAccountKeyCreation",
    "iam.disableServiceAccountKeyUpload",
    "iam.managed.allowedPolicyMembers",
    "iam.managed.disableServiceAccountKeyCreation",
    "iam.managed.disableServiceAccountKeyUpload",
    "iam.managed.preventPrivilegedBasicRolesForDefaultServiceAccounts",
    "sql.restrictAuthorizedNetworks",
    "sql.restrictPublicIp",
    "storage.publicAccessPrevention",
    "storage.uniformBucketLevelAccess",
)
"""The constraints that checks look at. Without a policy none of them restricts anything.

https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
"""

OLD_TLS = {"TLS_VERSION_1", "TLS_VERSION_1_1"}


def _policies(gcp: Any) -> dict[str, dict[str, Any]]:
    """The policies in force by place and constraint: `organizations/123` -> `gcp.resourceLocations` -> spec.

    A policy that is only tried out (`dryRunSpec`) is not in force.

    https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/organizations.policies
    """
    found: dict[str, dict[str, Any]] = {}
    for asset in gcp.assets(POLICY):
        data = asset["resource"]["data"]
        where, _, constraint = data["name"].partition("/policies/")
        if spec := data.get("spec"):
            found.setdefault(where, {})[constraint] = without(spec)
    return found


@evidence(calls=["cloudasset.assets.listResource", *TREE], per="hierarchy")
def constraints(gcp: Any) -> Iterator[Resource]:
    """The organisation and every folder, each with the organisation policies set on it."""
    policies = _policies(gcp)
    for asset in gcp.nodes(ORGANIZATION, FOLDER):
        yield resource(
            asset["name"],
            name=name_of(asset),
            config={
                "assetType": asset["assetType"],
                "ancestors": asset["ancestors"],
                "policies": policies.get(place(asset["name"]), {}),
            },
        )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def project_constraints(gcp: Any) -> Iterator[Resource]:
    """The project, with the organisation policies set on it."""
    policies = _policies(gcp)
    for asset in gcp.assets(PROJECT):
        number = place(asset["name"])
        own = policies.get(number) or policies.get(f"projects/{gcp.project}") or {}
        yield resource(
            asset["name"], name=name_of(asset), config={"ancestors": asset["ancestors"], "policies": own}
        )


def _rules(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rules that hold everywhere, not only where a tag is set."""
    return [rule for rule in spec.get("rules", ()) if not rule.get("condition")]


def _lifts(spec: Mapping[str, Any]) -> bool:
    """Whether a policy takes a restriction away: back to the default, not enforced, or everything allowed.

    A rule that says nothing is one whose `enforce: false` was left out on the way.
    """
    if spec.get("reset"):
        return True
    return any(
        not (rule.get("enforce") or rule.get("denyAll") or rule.get("values")) for rule in _rules(spec)
    )


def _restricts(spec: Mapping[str, Any]) -> bool:
    """Whether a policy enforces its constraint, or allows nothing but what it names."""
    return not _lifts(spec) and any(
        rule.get("enforce") or rule.get("denyAll") or (rule.get("values") or {}).get("allowedValues")
        for rule in _rules(spec)
    )


def _refuses_old_tls(spec: Mapping[str, Any]) -> bool:
    """Whether both old versions are denied; of this constraint there is no list of allowed values.

    https://cloud.google.com/assured-workloads/docs/restrict-tls-versions
    """
    denied = {one for rule in _rules(spec) for one in (rule.get("values") or {}).get("deniedValues", ())}
    return not _lifts(spec) and denied >= OLD_TLS


def _said(spec: Mapping[str, Any]) -> str:
    """How a policy reads: its values, and where it makes an exception."""
    values = [one for rule in _rules(spec) for one in (rule.get("values") or {}).get("allowedValues", ())]
    apart = [
        rule["condition"].get("expression", "") for rule in spec.get("rules", ()) if rule.get("condition")
    ]
    return (f" ({told(values)})" if values else "") + (f", but not where {told(apart)}" if apart else "")


def enforced(
    node: Resource,
    nodes: list[Resource],
    *names: str,
    restricts: Callable[[Mapping[str, Any]], bool] = _restricts,
) -> Verdict:
    """Whether one of the constraints holds on a node, by its own policy or by the nearest one above.

    A policy that inherits (`inheritFromParent`) and restricts nothing itself leaves it to the next one. A
    folder without a policy of its own is judged where it inherits from.
    """
    if node.get("assetType") == FOLDER and not any(name in node["policies"] for name in names):
        for one in above(node, nodes):
            return not_applicable(f"sets no policy of its own: judged with {place(one.key)}")
    lifted: dict[str, str] = {}
    for one in chain([node], above(node, nodes)):
        for name in names:
            spec = one["policies"].get(name)
            if spec is None or name in lifted:
                continue
            if restricts(spec):
                return ok(f"{name} is in force by {place(one.key)}{_said(spec)}")
            if not spec.get("inheritFromParent"):
                lifted[name] = f"{name} restricts nothing by the policy of {place(one.key)}"
        if len(lifted) == len(names):
            break
    return fail(told(lifted.values()) or f"{' or '.join(names)} is set nowhere")


@check(project_constraints, severity="high")
def project_lifts_no_constraint(project: Resource) -> Verdict:
    """Project lifts no organisation policy that guards it

    Risk: the project that most needs the guard is the one that is taken out of it, and nobody sees it.
    Fix: gcloud org-policies delete CONSTRAINT --project={name}, or accept it by an exception with an owner
        and an end.
    Source: https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/projects.policies
    Verified: 2026-11-25
    """
    own = {name: spec for name, spec in project["policies"].items() if name in GUARDED}
    lifted = [name for name, spec in own.items() if _lifts(spec)]
    if lifted:
        return fail(f"lifts {told(lifted)}")
    return ok(f"sets {told(own)} and lifts none" if own else "sets none of the guarded constraints itself")


@check(constraints, constraints, severity="high")
def service_account_keys_cannot_be_made(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Nobody can make service account keys

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: keys that never change hands safely are made by hand, and leak.
    Fix: gcloud org-policies set-policy FILE, for iam.disableServiceAccountKeyCreation on {name} with
        enforce: true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(
        node,
        constraints,
        "iam.disableServiceAccountKeyCreation",
        "iam.managed.disableServiceAccountKeyCreation",
    )


@check(constraints, constraints, severity="medium")
def service_account_keys_cannot_be_uploaded(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Nobody can upload keys for service accounts

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: a key pair made elsewhere becomes a second, unseen way into a service account.
    Fix: gcloud org-policies set-policy FILE, for iam.disableServiceAccountKeyUpload on {name} with enforce:
        true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(
        node, constraints, "iam.disableServiceAccountKeyUpload", "iam.managed.disableServiceAccountKeyUpload"
    )


@check(constraints, constraints, severity="high")
def members_are_limited_to_own_domains(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Policies can name members of allowed domains only

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: one mistaken binding shares data with a stranger or with everyone.
    Fix: gcloud org-policies set-policy FILE, for iam.allowedPolicyMemberDomains on {name} with the customer
        id of the organisation's directory
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "iam.allowedPolicyMemberDomains", "iam.managed.allowedPolicyMembers")


@check(constraints, constraints, severity="high")
def default_service_accounts_get_no_rights(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Default service accounts get no rights by themselves

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: each new project starts with an account that is Editor and that every machine runs as.
    Fix: gcloud org-policies set-policy FILE, for iam.automaticIamGrantsForDefaultServiceAccounts on {name}
        with enforce: true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(
        node,
        constraints,
        "iam.automaticIamGrantsForDefaultServiceAccounts",
        "iam.managed.preventPrivilegedBasicRolesForDefaultServiceAccounts",
    )


@check(constraints, constraints, severity="medium")
def os_login_is_required(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """New projects sign in to machines by OS Login

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: SSH keys in metadata outlive their owners, and nobody is named in the log.
    Fix: gcloud org-policies set-policy FILE, for compute.requireOsLogin on {name} with enforce: true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "compute.requireOsLogin", "compute.managed.requireOsLogin")


@check(constraints, constraints, severity="medium")
def uniform_bucket_access_is_required(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Buckets must use uniform access

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: ACLs on single objects open what the bucket's policy closes.
    Fix: gcloud org-policies set-policy FILE, for storage.uniformBucketLevelAccess on {name} with enforce:
        true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "storage.uniformBucketLevelAccess")


@check(constraints, constraints, severity="high")
def public_buckets_are_prevented(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Buckets cannot be made public

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: one mistaken binding puts a bucket on the internet.
    Fix: gcloud org-policies set-policy FILE, for storage.publicAccessPrevention on {name} with enforce: true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "storage.publicAccessPrevention")


@check(constraints, constraints, severity="high")
def sql_has_no_public_address(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Cloud SQL instances cannot have a public address

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: a database is put on the internet by one tick.
    Fix: gcloud org-policies set-policy FILE, for sql.restrictPublicIp on {name} with enforce: true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "sql.restrictPublicIp")


@check(constraints, constraints, severity="medium")
def sql_authorizes_no_public_networks(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Cloud SQL instances cannot let in networks from the internet

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: a database that has a public address is opened to networks at will.
    Fix: gcloud org-policies set-policy FILE, for sql.restrictAuthorizedNetworks on {name} with enforce: true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "sql.restrictAuthorizedNetworks")


@check(constraints, constraints, severity="medium")
def machines_get_no_external_address(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Virtual machines get external addresses only where that is allowed

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: every machine that anybody makes can be reached from the internet.
    Fix: gcloud org-policies set-policy FILE, for compute.vmExternalIpAccess on {name} with denyAll, or the
        machines that may have one
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "compute.vmExternalIpAccess", "compute.managed.vmExternalIpAccess")


@check(constraints, constraints, severity="medium")
def default_networks_are_not_made(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """New projects get no default network

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: each new project starts with rules that let SSH and RDP in from everywhere.
    Fix: gcloud org-policies set-policy FILE, for compute.skipDefaultNetworkCreation on {name} with enforce:
        true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "compute.skipDefaultNetworkCreation")


@check(constraints, constraints, severity="low")
def shielded_machines_are_required(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Virtual machines must be Shielded VMs

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: a changed boot loader or kernel is not noticed.
    Fix: gcloud org-policies set-policy FILE, for compute.requireShieldedVm on {name} with enforce: true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "compute.requireShieldedVm")


@check(constraints, constraints, severity="low")
def serial_ports_are_closed(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Interactive serial ports are closed

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: a serial console lets in from any address and knows no firewall.
    Fix: gcloud org-policies set-policy FILE, for compute.disableSerialPortAccess on {name} with enforce: true
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(
        node, constraints, "compute.disableSerialPortAccess", "compute.managed.disableSerialPortAccess"
    )


@check(constraints, constraints, severity="medium")
def locations_are_limited(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Resources can be made in allowed locations only

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: personal data lands in a country that contracts and law do not allow.
    Fix: gcloud org-policies set-policy FILE, for gcp.resourceLocations on {name} with the locations that
        are agreed, such as in:eu-locations
    Source: https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "gcp.resourceLocations")


@check(constraints, constraints, severity="medium")
def old_tls_is_refused(node: Resource, *, constraints: list[Resource]) -> Verdict:
    """Google's APIs refuse TLS 1.0 and 1.1

    By an organisation policy. A folder that sets none of its own is judged with what is above it.

    Risk: requests and tokens travel under protocols that are broken.
    Fix: gcloud org-policies set-policy FILE, for gcp.restrictTLSVersion with deniedValues TLS_VERSION_1 and
        TLS_VERSION_1_1 on {name}
    Source: https://cloud.google.com/assured-workloads/docs/restrict-tls-versions
    Verified: 2026-11-25
    """
    return enforced(node, constraints, "gcp.restrictTLSVersion", restricts=_refuses_old_tls)
