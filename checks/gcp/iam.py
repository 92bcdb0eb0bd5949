"""Google Cloud IAM: allow policies at every level, service accounts and their keys, roles, federation.

https://cloud.google.com/iam/docs/reference/rest
https://cloud.google.com/asset-inventory/docs/asset-types
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from checks.gcp._hierarchy import FOLDER, ORGANIZATION, PROJECT, TREE, above, name_of, place
from checks.gcp._members import (
    BASIC_ROLES,
    domain,
    grants,
    is_consumer,
    is_default_account,
    is_deleted,
    is_outside,
    is_service_account,
    is_service_agent,
    public_grants,
)
from checks.gcp._months import last_day, month
from checks.gcp._names import part, short, told, without
from collector.sdk import (
    NotCollected,
    Reason,
    Resource,
    Verdict,
    check,
    day,
    evidence,
    fail,
    instant,
    not_applicable,
    not_tested,
    ok,
    older_than,
    resource,
)

ACTS_AS_ALL = ("roles/iam.serviceAccountUser", "roles/iam.serviceAccountTokenCreator")
"""Roles that on a project, folder or organisation let their holder act as every service account in it."""

KEY_USER = (
    "roles/cloudkms.cryptoKeyDecrypter",
    "roles/cloudkms.cryptoKeyEncrypter",
    "roles/cloudkms.cryptoKeyEncrypterDecrypter",
)

RAISES_RIGHTS = (
    "cloudbuild.builds.create",
    "deploymentmanager.deployments.create",
    "iam.roles.update",
    "iam.serviceAccountKeys.create",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.getAccessToken",
    "iam.serviceAccounts.implicitDelegation",
    "iam.serviceAccounts.setIamPolicy",
    "iam.serviceAccounts.signBlob",
    "iam.serviceAccounts.signJwt",
    "orgpolicy.policy.set",
    "resourcemanager.folders.setIamPolicy",
    "resourcemanager.organizations.setIamPolicy",
    "resourcemanager.projects.setIamPolicy",
)
"""Permissions with which one gives oneself, or takes from a service account, rights one does not have."""

NEVER = 9999
"""The year in which a service account key expires that does not."""

ACTIVITIES = (
    "GET https://policyanalyzer.googleapis.com/v1/projects/{project}/locations/global/activityTypes/{kind}"
    "/activities:query"
)
ACCOUNT_USE = "serviceAccountLastAuthentication"
KEY_USE = "serviceAccountKeyLastAuthentication"


def _policy(policy: Mapping[str, Any] | NotCollected) -> dict[str, Any]:
    """Bindings and audit configurations in one order, whatever order they came in, and no etag."""
    if isinstance(policy, NotCollected):
        return {"bindings": policy, "auditConfigs": policy}
    bindings = [{**one, "members": sorted(one.get("members", ()))} for one in policy.get("bindings", ())]
    return {
        "bindings": sorted(bindings, key=lambda one: (one["role"], str(one.get("condition")))),
        "auditConfigs": sorted(policy.get("auditConfigs", ()), key=lambda one: str(one.get("service"))),
    }


@evidence(calls=["cloudasset.assets.listIamPolicy"], per="project")
def policies(gcp: Any) -> Iterator[Resource]:
    """Every IAM policy attached in the project: the project's own, and those of buckets, keys, topics, ...

    In one listing by Cloud Asset Inventory, where Resource Manager and each service would take a call for
    every single one.

    https://cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list
    """
    for found in gcp.policies():
        yield resource(
            found["name"],
            name=gcp.project if found["assetType"] == PROJECT else short(found["name"]),
            config={
                "assetType": found["assetType"],
                "ancestors": found["ancestors"],
                **_policy(found["iamPolicy"]),
            },
        )


@evidence(calls=["cloudasset.assets.listResource", "resourcemanager.projects.getIamPolicy"], per="project")
def project_policies(gcp: Any) -> Iterator[Resource]:
    """The IAM policy of the project itself; empty if it has none of its own.

    https://docs.cloud.google.com/resource-manager/reference/rest/v3/projects/getIamPolicy
    """
    for asset in gcp.assets(PROJECT):
        yield resource(
            asset["name"],
            name=name_of(asset),
            config={"ancestors": asset["ancestors"], **_policy(gcp.policy(asset["name"]))},
        )


@evidence(
    calls=[*TREE, "resourcemanager.organizations.getIamPolicy", "resourcemanager.folders.getIamPolicy"],
    per="hierarchy",
)
def hierarchy_policies(gcp: Any) -> Iterator[Resource]:
    """The IAM policies of the organisation and of every folder; empty where one has none of its own.

    https://docs.cloud.google.com/resource-manager/reference/rest/v3/organizations/getIamPolicy
    https://docs.cloud.google.com/resource-manager/reference/rest/v3/folders/getIamPolicy
    """
    for asset in gcp.nodes(ORGANIZATION, FOLDER):
        yield resource(
            asset["name"],
            name=name_of(asset),
            config={
                "assetType": asset["assetType"],
                "ancestors": asset["ancestors"],
                **_policy(gcp.policy(asset["name"])),
            },
        )


def _activities(gcp: Any, kind: str) -> Callable[[Collection[str]], Any]:
    """Tells by any of its ids when an account or key was last used, as Policy Analyzer knows it.

    https://cloud.google.com/policy-intelligence/docs/activity-analyzer-service-account-authentication
    """
    listing = gcp.all(ACTIVITIES.removeprefix("GET "), "activities", kind=kind)
    items = listing if isinstance(listing, list) else [listing]
    gap = next((one for one in items if isinstance(one, NotCollected)), None)
    used = {}
    for one in items:
        if one is gap:
            continue
        told_of = one.get("activity") or {}
        entry = {
            "lastUsed": month(told_of.get("lastAuthenticatedTime")),
            "seenSince": month((one.get("observationPeriod") or {}).get("startTime")),
        }
        used[short(one["fullResourceName"])] = entry
        if number := (told_of.get("serviceAccount") or {}).get("serviceAccountId"):
            used[number] = entry
    return lambda ids: next((used[one] for one in ids if one in used), gap)


@evidence(
    calls=["cloudasset.assets.listResource", ACTIVITIES],
    per="project",
    permissions=[
        "cloudasset.assets.listResource",
        "policyanalyzer.serviceAccountLastAuthenticationActivities.query",
    ],
)
def service_accounts(gcp: Any) -> Iterator[Resource]:
    """Every service account that the project owns, and the month in which it was last used.

    https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts
    """
    used = _activities(gcp, ACCOUNT_USE)
    for asset in gcp.assets("iam.googleapis.com/ServiceAccount"):
        data = asset["resource"]["data"]
        yield resource(
            asset["name"],
            name=data["email"],
            config={**without(data), "activity": used([data["email"], data.get("uniqueId", "")])},
        )


@evidence(
    calls=["cloudasset.assets.listResource", ACTIVITIES],
    per="project",
    permissions=[
        "cloudasset.assets.listResource",
        "policyanalyzer.serviceAccountKeyLastAuthenticationActivities.query",
    ],
)
def keys(gcp: Any) -> Iterator[Resource]:
    """Every service account key that people made or uploaded, and the month in which it was last used.

    The keys that Google makes, holds and rotates itself (`SYSTEM_MANAGED`) are left out.

    https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys
    """
    used = _activities(gcp, KEY_USE)
    for asset in gcp.assets("iam.googleapis.com/ServiceAccountKey"):
        data = asset["resource"]["data"]
        if data.get("keyType") != "SYSTEM_MANAGED":
            yield resource(
                asset["name"],
                config={
                    **without(data, "publicKeyData", "privateKeyData"),
                    "account": part(data["name"], "serviceAccounts"),
                    "activity": used([short(asset["name"])]),
                },
            )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def roles(gcp: Any) -> Iterator[Resource]:
    """The custom roles of the project.

    https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles
    """
    return _roles(gcp)


@evidence(calls=["cloudasset.assets.listResource"], per="hierarchy")
def hierarchy_roles(gcp: Any) -> Iterator[Resource]:
    """The custom roles of the organisation.

    https://cloud.google.com/iam/docs/reference/rest/v1/organizations.roles
    """
    return _roles(gcp)


def _roles(gcp: Any) -> Iterator[Resource]:
    for asset in gcp.assets("iam.googleapis.com/Role"):
        data = asset["resource"]["data"]
        permissions = data.get("includedPermissions")
        config = {**without(data), "includedPermissions": sorted(permissions) if permissions else None}
        yield resource(asset["name"], config=config)


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def identity_providers(gcp: Any) -> Iterator[Resource]:
    """The providers of workload identity pools: whose tokens are exchanged for Google's.

    https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
    """
    for asset in gcp.assets("iam.googleapis.com/WorkloadIdentityPoolProvider"):
        yield resource(asset["name"], config=without(asset["resource"]["data"]))


# Basic roles


def _held(policy: Resource, wanted: Callable[[str], bool], who: Callable[[str], bool]) -> list[str]:
    """Who holds roles of a kind by this policy, in phrases; less Google's own service agents."""
    return [
        f"{member} has {role}"
        for role, member in grants(policy["bindings"])
        if wanted(role) and who(member) and not is_service_agent(member)
    ]


def _no_basic_roles(policy: Resource, basic_roles: Sequence[str]) -> Verdict:
    found = _held(policy, lambda role: role in basic_roles, lambda _: True)
    if found:
        return fail(told(found))
    return ok(f"nobody has {' or '.join(basic_roles)} here; Google's service agents are not counted")


@check(project_policies, severity="high")
def project_has_no_basic_roles(policy: Resource, *, basic_roles: Sequence[str] = BASIC_ROLES) -> Verdict:
    """Nobody has a basic role on the project

    What is granted higher up is tested there. Google's own service agents are not counted.

    Risk: Owner and Editor change nearly everything in every service: no duties are separated, and one stolen
        account is enough.
    Fix: gcloud projects remove-iam-policy-binding {name} --member=MEMBER --role=roles/editor, after
        granting the predefined roles that are needed.
    Source: https://cloud.google.com/iam/docs/roles-overview#basic
    Verified: 2026-11-25, the four roles, by Google's pages of roles and permissions.
    """
    return _no_basic_roles(policy, basic_roles)


@check(hierarchy_policies, severity="critical")
def hierarchy_has_no_basic_roles(policy: Resource, *, basic_roles: Sequence[str] = BASIC_ROLES) -> Verdict:
    """Nobody has a basic role on the organisation or a folder

    Risk: one stolen account changes everything in every project below.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=MEMBER --role=roles/owner (or gcloud
        resource-manager folders remove-iam-policy-binding), after granting the predefined roles that are
        needed.
    Source: https://cloud.google.com/iam/docs/roles-overview#basic
    Verified: 2026-11-25, the four roles, by Google's pages of roles and permissions.
    """
    return _no_basic_roles(policy, basic_roles)


# Rights of service accounts


def _is_admin(role: str) -> bool:
    return role in BASIC_ROLES or "admin" in role.rsplit("/", 1)[-1].lower()


def _no_admin_accounts(policy: Resource, allowed: Collection[str]) -> Verdict:
    found = _held(policy, lambda role: _is_admin(role) and role not in allowed, is_service_account)
    return fail(told(found)) if found else ok("no service account has an administrator's role here")


@check(project_policies, severity="high")
def project_gives_service_accounts_no_admin_role(policy: Resource, *, allowed: Sequence[str] = ()) -> Verdict:
    """No service account administers the project

    Owner, Editor and every role with "admin" in its name. `allowed` names roles that may be held all the
    same.

    Risk: whoever gets hold of a workload or of one key administers the service, or the whole project.
    Fix: gcloud projects remove-iam-policy-binding {name} --member=serviceAccount:EMAIL --role=ROLE, after
        granting a narrower role, or the same role on the one resource that is meant.
    Source: https://cloud.google.com/iam/docs/best-practices-service-accounts
    Verified: 2026-11-25, roles by copies of the CIS benchmark; members by cloudresourcemanager v3's Binding.
    """
    return _no_admin_accounts(policy, allowed)


@check(hierarchy_policies, severity="high")
def hierarchy_gives_service_accounts_no_admin_role(
    policy: Resource, *, allowed: Sequence[str] = ()
) -> Verdict:
    """No service account administers the organisation or a folder

    Owner, Editor and every role with "admin" in its name. `allowed` names roles that may be held all the
    same.

    Risk: whoever gets hold of one workload or key administers every project below.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=serviceAccount:EMAIL --role=ROLE, after
        granting what is needed on the project or resource that is meant.
    Source: https://cloud.google.com/iam/docs/best-practices-service-accounts
    Verified: 2026-11-25, roles by copies of the CIS benchmark; members by cloudresourcemanager v3's Binding.
    """
    return _no_admin_accounts(policy, allowed)


def _no_acting_as_all(policy: Resource) -> Verdict:
    found = _held(policy, lambda role: role in ACTS_AS_ALL, lambda _: True)
    return fail(told(found)) if found else ok(f"nobody has {' or '.join(ACTS_AS_ALL)} here")


@check(project_policies, severity="high")
def project_lets_nobody_act_as_all_accounts(policy: Resource) -> Verdict:
    """Nobody may act as every service account of the project

    Risk: Service Account User or Token Creator on a whole project is as good as the rights of all its service
        accounts together.
    Fix: gcloud projects remove-iam-policy-binding {name} --member=MEMBER --role=ROLE, and gcloud iam
        service-accounts add-iam-policy-binding ACCOUNT on the one account that is needed.
    Source: https://cloud.google.com/iam/docs/service-account-permissions
    Verified: 2026-11-25, the two roles by published copies of the CIS benchmark.
    """
    return _no_acting_as_all(policy)


@check(hierarchy_policies, severity="high")
def hierarchy_lets_nobody_act_as_all_accounts(policy: Resource) -> Verdict:
    """Nobody may act as every service account of the organisation or a folder

    Risk: Service Account User or Token Creator up here is as good as the rights of all service accounts in
        all projects below.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=MEMBER --role=ROLE, and grant it on the
        one account that is needed.
    Source: https://cloud.google.com/iam/docs/service-account-permissions
    Verified: 2026-11-25, the two roles by published copies of the CIS benchmark.
    """
    return _no_acting_as_all(policy)


# Separation of duties


def _both(
    policy: Resource, hierarchy: list[Resource], first: Collection[str], second: Collection[str], what: str
) -> Verdict:
    """Whether a member whom this policy gives a role of one kind holds one of the other too, here or above.

    So a conflict is found where it arises, not once more in every project below.
    """

    def holders(one: Resource, roles: Collection[str]) -> set[str]:
        return {who for role, who in grants(one["bindings"]) if role in roles and not is_service_agent(who)}

    own_first, own_second = holders(policy, first), holders(policy, second)
    if found := own_first & own_second:
        return fail(told(f"{member} {what}" for member in found))
    if not own_first and not own_second:
        return ok(f"nobody {what}: neither is granted here")
    for one in above(policy, hierarchy):
        if found := (own_first & holders(one, second)) | (own_second & holders(one, first)):
            return fail(told(f"{member} {what}, counting {place(one.key)}" for member in found))
    return ok(f"nobody {what}")


ACCOUNT_DUTIES = "both administers service accounts and acts as them"
KEY_DUTIES = "both administers keys and encrypts or decrypts with them"


@check(project_policies, hierarchy_policies, severity="medium")
def project_separates_service_account_duties(
    policy: Resource, *, hierarchy_policies: list[Resource]
) -> Verdict:
    """Who administers service accounts in the project does not act as them

    Roles granted on the folders and the organisation above count too. Members of groups are not seen.

    Risk: one person makes a service account, gives it rights and uses it, and nobody else is involved.
    Fix: take roles/iam.serviceAccountAdmin or roles/iam.serviceAccountUser from the member named in the
        result.
    Source: https://cloud.google.com/iam/docs/roles-permissions/iam
    Verified: 2026-11-25, the pair of roles, by title, by a published copy of the CIS benchmark.
    """
    return _both(
        policy, hierarchy_policies, ["roles/iam.serviceAccountAdmin"], [ACTS_AS_ALL[0]], ACCOUNT_DUTIES
    )


@check(hierarchy_policies, hierarchy_policies, severity="medium")
def hierarchy_separates_service_account_duties(
    policy: Resource, *, hierarchy_policies: list[Resource]
) -> Verdict:
    """Who administers service accounts in the organisation or a folder does not act as them

    Members of groups are not seen.

    Risk: one person makes a service account, gives it rights and uses it, and nobody else is involved.
    Fix: take roles/iam.serviceAccountAdmin or roles/iam.serviceAccountUser from the member named in the
        result.
    Source: https://cloud.google.com/iam/docs/roles-permissions/iam
    Verified: 2026-11-25, the pair of roles, by title, by a published copy of the CIS benchmark.
    """
    return _both(
        policy, hierarchy_policies, ["roles/iam.serviceAccountAdmin"], [ACTS_AS_ALL[0]], ACCOUNT_DUTIES
    )


@check(project_policies, hierarchy_policies, severity="medium")
def project_separates_key_duties(policy: Resource, *, hierarchy_policies: list[Resource]) -> Verdict:
    """Who administers the project's KMS keys does not use them

    Roles granted on the folders and the organisation above count too. Members of groups are not seen.

    Risk: one person decrypts whatever they like and destroys or replaces the key after it.
    Fix: take roles/cloudkms.admin or the CryptoKey role from the member named in the result.
    Source: https://cloud.google.com/kms/docs/separation-of-duties
    Verified: 2026-11-25, the roles that exclude each other, by title, by a copy of the CIS benchmark.
    """
    return _both(policy, hierarchy_policies, ["roles/cloudkms.admin"], KEY_USER, KEY_DUTIES)


@check(hierarchy_policies, hierarchy_policies, severity="medium")
def hierarchy_separates_key_duties(policy: Resource, *, hierarchy_policies: list[Resource]) -> Verdict:
    """Who administers KMS keys of the organisation or a folder does not use them

    Members of groups are not seen.

    Risk: one person decrypts whatever they like and destroys or replaces the key after it.
    Fix: take roles/cloudkms.admin or the CryptoKey role from the member named in the result.
    Source: https://cloud.google.com/kms/docs/separation-of-duties
    Verified: 2026-11-25, the roles that exclude each other, by title, by a copy of the CIS benchmark.
    """
    return _both(policy, hierarchy_policies, ["roles/cloudkms.admin"], KEY_USER, KEY_DUTIES)


# Who is let in


def _not_public(policy: Resource) -> Verdict:
    found = public_grants(policy["bindings"])
    return fail(told(found)) if found else ok("neither allUsers nor allAuthenticatedUsers is a member")


@check(policies, severity="critical")
def policy_is_not_public(policy: Resource) -> Verdict:
    """IAM policy in the project lets nobody unknown in

    Of every kind of resource that has a policy. What is meant for the public, such as a web site's bucket,
    wants an exception with an owner.

    Risk: anyone on the internet, or anyone with a Google account, may do what the role says.
    Fix: remove allUsers and allAuthenticatedUsers from the policy of {name}, and set the organisation policy
        constraints/iam.allowedPolicyMemberDomains.
    Source: https://cloud.google.com/iam/docs/principal-identifiers
    Verified: 2026-11-25, form of members, by Binding in cloudresourcemanager v3's discovery document.
    """
    return _not_public(policy)


@check(hierarchy_policies, severity="critical")
def hierarchy_is_not_public(policy: Resource) -> Verdict:
    """IAM policy of the organisation or a folder lets nobody unknown in

    Risk: anyone with a Google account may do in every project below what the role says.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=allAuthenticatedUsers --role=ROLE
    Source: https://cloud.google.com/iam/docs/principal-identifiers
    Verified: 2026-11-25, form of members, by Binding in cloudresourcemanager v3's discovery document.
    """
    return _not_public(policy)


def _no_personal_account(policy: Resource) -> Verdict:
    found = _held(policy, lambda _: True, is_consumer)
    return fail(told(found)) if found else ok("no address at gmail.com or googlemail.com is a member")


@check(policies, severity="high")
def policy_names_no_personal_account(policy: Resource) -> Verdict:
    """IAM policy in the project names no personal Google account

    Risk: the organisation can neither require two-step verification of a personal account, nor see its
        sign-ins, nor close it when somebody leaves.
    Fix: remove the member from the policy of {name} and grant the role to the person's company account.
    Source: https://cloud.google.com/iam/docs/principal-identifiers
    Verified: 2026-11-25, form of members, by Binding in cloudresourcemanager v3's discovery document.
    """
    return _no_personal_account(policy)


@check(hierarchy_policies, severity="high")
def hierarchy_names_no_personal_account(policy: Resource) -> Verdict:
    """IAM policy of the organisation or a folder names no personal Google account

    Risk: the organisation can neither require two-step verification of a personal account, nor see its
        sign-ins, nor close it when somebody leaves.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=user:ADDRESS --role=ROLE
    Source: https://cloud.google.com/iam/docs/principal-identifiers
    Verified: 2026-11-25, form of members, by Binding in cloudresourcemanager v3's discovery document.
    """
    return _no_personal_account(policy)


def _own_domains(policy: Resource, hierarchy: list[Resource], domains: Sequence[str]) -> Verdict:
    people = {member for _, member in grants(policy["bindings"]) if domain(member)}
    if not people:
        return ok("names no person, group or domain")
    own = list(domains)
    if not own:
        own = [node.name for node in hierarchy if node["assetType"] == ORGANIZATION]
    if not own:
        return not_tested(
            "the source reads no organisation, so its domain is not known: set the parameter domains",
            Reason.NOT_SEEN,
        )
    found = [member for member in people if is_outside(member, own)]
    return (
        fail(f"outside {', '.join(own)}: {told(found)}") if found else ok(f"all members in {', '.join(own)}")
    )


@check(policies, hierarchy_policies, severity="medium")
def policy_names_only_own_domains(
    policy: Resource, *, hierarchy_policies: list[Resource], domains: Sequence[str] = ()
) -> Verdict:
    """IAM policy in the project names people of the organisation's own domains only

    The organisation's primary domain, unless `domains` names others. Of service accounts it says nothing.

    Risk: people whom the organisation neither hires nor lets go keep access to its systems.
    Fix: remove the member from the policy of {name}, or add the partner's domain to `domains` if it is
        agreed.
    Source: https://cloud.google.com/iam/docs/principal-identifiers
    Verified: 2026-11-25, members and primary domain, by cloudresourcemanager v3's discovery document.
    """
    return _own_domains(policy, hierarchy_policies, domains)


@check(hierarchy_policies, hierarchy_policies, severity="high")
def hierarchy_names_only_own_domains(
    policy: Resource, *, hierarchy_policies: list[Resource], domains: Sequence[str] = ()
) -> Verdict:
    """IAM policy of the organisation or a folder names people of the organisation's own domains only

    The organisation's primary domain, unless `domains` names others. Of service accounts it says nothing.

    Risk: people whom the organisation neither hires nor lets go have access to every project below.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=MEMBER --role=ROLE, or add the partner's
        domain to `domains` if it is agreed.
    Source: https://cloud.google.com/iam/docs/principal-identifiers
    Verified: 2026-11-25, members and primary domain, by cloudresourcemanager v3's discovery document.
    """
    return _own_domains(policy, hierarchy_policies, domains)


def _nobody_deleted(policy: Resource) -> Verdict:
    found = [
        f"{member} has {binding['role']}"
        for binding in policy["bindings"]
        for member in binding["members"]
        if is_deleted(member)
    ]
    return fail(told(found)) if found else ok("every member is still there")


@check(policies, severity="low")
def policy_names_nobody_deleted(policy: Resource) -> Verdict:
    """IAM policy in the project names nobody who was deleted

    Risk: rights of people and accounts that left stay behind; they come back with an undeleted account, and
        reviews of access drown in them.
    Fix: remove the deleted member from the policy of {name}.
    Source: https://cloud.google.com/iam/docs/principal-identifiers#deleted-principals
    Verified: 2026-11-25, form of members, by Binding in cloudresourcemanager v3's discovery document.
    """
    return _nobody_deleted(policy)


@check(hierarchy_policies, severity="low")
def hierarchy_names_nobody_deleted(policy: Resource) -> Verdict:
    """IAM policy of the organisation or a folder names nobody who was deleted

    Risk: rights of people and accounts that left stay behind; they come back with an undeleted account, and
        reviews of access drown in them.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=deleted:MEMBER --role=ROLE
    Source: https://cloud.google.com/iam/docs/principal-identifiers#deleted-principals
    Verified: 2026-11-25, form of members, by Binding in cloudresourcemanager v3's discovery document.
    """
    return _nobody_deleted(policy)


def _to_groups(policy: Resource) -> Verdict:
    found = _held(policy, lambda _: True, lambda member: member.startswith("user:"))
    return fail(told(found)) if found else ok("people get their roles by groups")


@check(project_policies, severity="low")
def project_grants_to_groups(policy: Resource) -> Verdict:
    """People get their roles on the project by groups

    Risk: rights that hang on single people are forgotten when they change jobs or leave.
    Fix: gcloud projects remove-iam-policy-binding {name} --member=user:ADDRESS --role=ROLE, after granting
        the role to a group.
    Source: https://cloud.google.com/iam/docs/groups-best-practices
    Verified: 2026-11-25, form of members, by Binding in cloudresourcemanager v3's discovery document.
    """
    return _to_groups(policy)


@check(hierarchy_policies, severity="low")
def hierarchy_grants_to_groups(policy: Resource) -> Verdict:
    """People get their roles on the organisation and folders by groups

    Risk: rights that hang on single people are forgotten when they change jobs or leave.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=user:ADDRESS --role=ROLE, after granting
        the role to a group.
    Source: https://cloud.google.com/iam/docs/groups-best-practices
    Verified: 2026-11-25, form of members, by Binding in cloudresourcemanager v3's discovery document.
    """
    return _to_groups(policy)


WHOLE_POOL = re.compile(
    r"^principalSet://iam\.googleapis\.com/.*/(?:workloadIdentityPools|workforcePools)/[^/]+/\*$"
)


def _no_whole_pool(policy: Resource) -> Verdict:
    found = _held(policy, lambda _: True, lambda member: bool(WHOLE_POOL.match(member)))
    return fail(told(found)) if found else ok("no identity pool is a member as a whole")


@check(policies, severity="high")
def policy_trusts_no_whole_pool(policy: Resource) -> Verdict:
    """IAM policy in the project grants nothing to a whole identity pool

    Risk: every workload or person that the provider lets into the pool has the role, not the one that is
        meant.
    Fix: bind principal://.../subject/SUBJECT or principalSet://.../attribute.NAME/VALUE in place of the pool.
    Source: https://cloud.google.com/iam/docs/workload-identity-federation#identity-types
    Verified: 2026-11-25, form of members, by Binding in cloudresourcemanager v3's discovery document.
    """
    return _no_whole_pool(policy)


@check(hierarchy_policies, severity="high")
def hierarchy_trusts_no_whole_pool(policy: Resource) -> Verdict:
    """IAM policy of the organisation or a folder grants nothing to a whole identity pool

    Risk: everybody whom the provider lets into the pool has the role in every project below.
    Fix: bind principal://.../subject/SUBJECT or principalSet://.../attribute.NAME/VALUE in place of the pool.
    Source: https://cloud.google.com/iam/docs/workload-identity-federation#identity-types
    Verified: 2026-11-25, form of members, by Binding in cloudresourcemanager v3's discovery document.
    """
    return _no_whole_pool(policy)


# Conditions

ALWAYS = re.compile(
    r"""^(?:true|1==1|(?:resource\.(?:name|type|service))!=(?:""|'')"""
    r"""|resource\.name\.(?:startsWith|endsWith)\((?:""|'')\))$"""
)
FROM_TIME = re.compile(r"""^request\.time>=?timestamp\(["']([^"']+)["']\)$""")
UNTIL_TIME = re.compile(
    r"""request\.time<=?timestamp\(["']([^"']+)["']\)|timestamp\(["']([^"']+)["']\)>=?request\.time"""
)
ELSEWHERE_TRUE = re.compile(r"\|\||!\(|\?")
"""What lets a condition hold although an end that it names is past: or, not, a choice of two."""


def _expressions(policy: Resource) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each binding with a condition, and the condition's expression without its blanks."""
    for binding in policy["bindings"]:
        if condition := binding.get("condition"):
            yield binding, re.sub(r"\s+", "", condition.get("expression", ""))


def _is_empty(expression: str, at: datetime) -> bool:
    since = FROM_TIME.match(expression)
    began = instant(since[1].replace("Z", "+00:00")) if since else None
    return bool(ALWAYS.match(expression)) or bool(began and began <= at)


def _conditions_limit(policy: Resource, at: datetime) -> Verdict:
    found = list(_expressions(policy))
    empty = [
        f"{binding['role']} under {expression}" for binding, expression in found if _is_empty(expression, at)
    ]
    if empty:
        return fail(f"always true: {told(empty)}")
    if not found:
        return not_applicable("no conditions")
    return ok(f"conditions: {len(found)}, none of a form that is always true")


@check(project_policies, severity="medium")
def project_conditions_limit_access(policy: Resource, *, at: datetime) -> Verdict:
    """Conditions on roles in the project do limit them

    Risk: a grant looks limited to reviewers and to scanners, and is not.
    Fix: gcloud projects remove-iam-policy-binding {name} --member=MEMBER --role=ROLE --condition=..., and
        bind the role again with a condition on what is meant.
    Source: https://cloud.google.com/iam/docs/conditions-overview
    Verified: 2026-11-25, condition by cloudresourcemanager v3's Binding; time by cloudasset v1's example.
    """
    return _conditions_limit(policy, at)


@check(hierarchy_policies, severity="medium")
def hierarchy_conditions_limit_access(policy: Resource, *, at: datetime) -> Verdict:
    """Conditions on roles of the organisation and folders do limit them

    Risk: a grant looks limited to reviewers and to scanners, and is not.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=MEMBER --role=ROLE --condition=..., and
        bind the role again with a condition on what is meant.
    Source: https://cloud.google.com/iam/docs/conditions-overview
    Verified: 2026-11-25, condition by cloudresourcemanager v3's Binding; time by cloudasset v1's example.
    """
    return _conditions_limit(policy, at)


def _no_expired_grants(policy: Resource, at: datetime) -> Verdict:
    found = []
    unsure = []
    limited = 0
    for binding, expression in _expressions(policy):
        named = [first or second for first, second in UNTIL_TIME.findall(expression)]
        ends = [instant(one.replace("Z", "+00:00")) for one in named]
        if not ends:
            continue
        if ELSEWHERE_TRUE.search(expression):
            unsure.append(f"{binding['role']} under {expression}")
        elif any(end and end < at for end in ends):
            found.append(f"{binding['role']} of {', '.join(binding['members'])} ended ({expression})")
        else:
            limited += 1
    if found:
        return fail(told(found))
    if unsure:
        return not_tested(f"cannot tell when it ends: {told(unsure)}")
    return ok(f"grants with an end: {limited}, none past") if limited else not_applicable("no grant ends")


@check(project_policies, severity="low")
def project_keeps_no_expired_grants(policy: Resource, *, at: datetime) -> Verdict:
    """Grants on the project that have ended are taken away

    Risk: what lies about makes reviews of access long, and is revived by a change of its date.
    Fix: gcloud projects remove-iam-policy-binding {name} --member=MEMBER --role=ROLE --condition=...
    Source: https://cloud.google.com/iam/docs/configuring-temporary-access
    Verified: 2026-11-25, condition by cloudresourcemanager v3's Binding; time by cloudasset v1's example.
    """
    return _no_expired_grants(policy, at)


@check(hierarchy_policies, severity="low")
def hierarchy_keeps_no_expired_grants(policy: Resource, *, at: datetime) -> Verdict:
    """Grants on the organisation and folders that have ended are taken away

    Risk: what lies about makes reviews of access long, and is revived by a change of its date.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=MEMBER --role=ROLE --condition=...
    Source: https://cloud.google.com/iam/docs/configuring-temporary-access
    Verified: 2026-11-25, condition by cloudresourcemanager v3's Binding; time by cloudasset v1's example.
    """
    return _no_expired_grants(policy, at)


# Administrators of the organisation

ORGANIZATION_ADMIN = "roles/resourcemanager.organizationAdmin"


def _admins(policy: Resource) -> list[str]:
    return sorted({member for role, member in grants(policy["bindings"]) if role == ORGANIZATION_ADMIN})


@check(hierarchy_policies, severity="medium")
def organization_has_few_admins(policy: Resource, *, max_admins: int = 4) -> Verdict:
    """Organisation has few administrators

    Each group counts as one, since its members are not seen.

    Risk: each administrator can give anybody any right in any project; each is a way in.
    Fix: gcloud organizations remove-iam-policy-binding ID --member=MEMBER
        --role=roles/resourcemanager.organizationAdmin
    Source: https://cloud.google.com/resource-manager/docs/access-control-org
    Verified: 2026-11-25, role by Google's page of access control; members by cloudresourcemanager's Binding.
    """
    if policy["assetType"] != ORGANIZATION:
        return not_applicable("a folder")
    admins = _admins(policy)
    said = f"{len(admins)} with {ORGANIZATION_ADMIN}: {told(admins)}" if admins else "no administrator"
    return ok(said) if len(admins) <= max_admins else fail(f"{said}; at most {max_admins}")


@check(hierarchy_policies, severity="medium")
def organization_has_second_admin(policy: Resource) -> Verdict:
    """Organisation does not hang on one administrator

    A group is taken to have more than one member.

    Risk: if the only administrator is gone or locked out, nobody can manage the organisation.
    Fix: gcloud organizations add-iam-policy-binding ID --member=group:ADDRESS
        --role=roles/resourcemanager.organizationAdmin
    Source: https://cloud.google.com/resource-manager/docs/access-control-org
    Verified: 2026-11-25, role by Google's page of access control; members by cloudresourcemanager's Binding.
    """
    if policy["assetType"] != ORGANIZATION:
        return not_applicable("a folder")
    admins = _admins(policy)
    if len(admins) > 1 or any(member.startswith("group:") for member in admins):
        return ok(f"{ORGANIZATION_ADMIN}: {told(admins)}")
    return fail(
        f"only {admins[0]} has {ORGANIZATION_ADMIN}" if admins else f"nobody has {ORGANIZATION_ADMIN}"
    )


# Service accounts and keys


@check(service_accounts, keys, severity="medium")
def service_account_has_no_user_managed_keys(account: Resource, *, keys: list[Resource]) -> Verdict:
    """Service account has no keys that people keep

    Keys that are disabled count, since they can be enabled.

    Risk: a key is a password in a file that works from anywhere; it leaks by repositories, laptops and logs.
    Fix: gcloud iam service-accounts keys delete KEY --iam-account={name}, after moving the workload to an
        attached service account or to workload identity federation.
    Source: https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys
    Verified: 2026-11-25
    """
    own = {account["email"], account.get("uniqueId")}
    found = [
        f"key {key.name} of {day(key.get('validAfterTime'), 'unknown date')}"
        for key in keys
        if key["account"] in own
    ]
    return fail(told(found)) if found else ok("no user-managed keys")


@check(keys, severity="medium")
def key_is_rotated(key: Resource, *, at: datetime, max_days: float = 90) -> Verdict:
    """Service account key is replaced in time

    Risk: whoever copied the key can use it for as long as it stands.
    Fix: gcloud iam service-accounts keys create, switch the workload over, then gcloud iam service-accounts
        keys delete {name} --iam-account=ACCOUNT
    Source: https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys
    Verified: 2026-11-25
    """
    made = key["validAfterTime"]
    said = f"made {day(made)}"
    return fail(f"{said}; at most {max_days:g} days") if older_than(made, max_days, at) else ok(said)


@check(keys, severity="low")
def key_expires(key: Resource) -> Verdict:
    """Service account key expires by itself

    Risk: a key that is forgotten works for ever.
    Fix: set the organisation policy constraints/iam.serviceAccountKeyExpiryHours, and replace the key.
    Source: https://cloud.google.com/iam/docs/service-account-keys-expiry
    Verified: 2026-11-25
    """
    ends = key["validBeforeTime"]
    return fail("never expires") if str(ends).startswith(str(NEVER)) else ok(f"expires {day(ends)}")


@check(keys, severity="critical")
def key_is_not_known_to_have_leaked(key: Resource) -> Verdict:
    """Service account key is not known to have leaked

    Google searches public repositories for keys and marks those it finds. A key it has disabled itself
    passes.

    Risk: the key lies open on the internet and can be used by anyone.
    Fix: gcloud iam service-accounts keys disable {name} --iam-account=ACCOUNT, then look in the audit log for
        what was done with it.
    Source: https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys
    Verified: 2026-11-25
    """
    marks = [
        str(one.get("key")).removeprefix("SERVICE_ACCOUNT_KEY_EXTENDED_STATUS_KEY_")
        for one in key.get("extendedStatus") or ()
    ]
    if not marks:
        return ok("Google has not marked it")
    said = f"marked {', '.join(sorted(marks))}"
    return ok(f"{said}, and disabled") if key.get("disabled") else fail(f"{said}, and not disabled")


def _in_use(item: Resource, at: datetime, unused_days: float) -> Verdict:
    if item.get("disabled"):
        return not_applicable("disabled")
    activity = item["activity"]
    if activity is None:
        return not_tested("Policy Analyzer knows nothing of it")
    used, since = activity["lastUsed"], activity["seenSince"]
    seen = f"; the record goes back to {since}" if since else ""
    if used and not older_than(last_day(used), unused_days, at):
        return ok(f"last used in {used}")
    if used:
        return fail(f"last used in {used}; at most {unused_days:g} days")
    if not since or not older_than(last_day(since), unused_days, at):
        return not_tested(f"not used{seen or ', and the record does not say since when it is kept'}")
    return fail(f"never used{seen}")


@check(service_accounts, severity="medium")
def service_account_is_in_use(account: Resource, *, at: datetime, unused_days: float = 90) -> Verdict:
    """Service account is in use

    Judged by the month, by the record of Policy Analyzer, which does not know of calls to Google Workspace.

    Risk: nobody misses an account that is not used when it is taken over.
    Fix: gcloud iam service-accounts disable {name}, and delete it when nothing breaks.
    Source: https://cloud.google.com/policy-intelligence/docs/activity-analyzer-service-account-authentication
    Verified: 2026-11-25
    """
    return _in_use(account, at, unused_days)


@check(keys, severity="medium")
def key_is_in_use(key: Resource, *, at: datetime, unused_days: float = 90) -> Verdict:
    """Service account key is in use

    Judged by the month, by the record of Policy Analyzer, which does not know of calls to Google Workspace.

    Risk: a key that nobody uses is still good for whoever finds it.
    Fix: gcloud iam service-accounts keys delete {name} --iam-account=ACCOUNT
    Source: https://cloud.google.com/policy-intelligence/docs/activity-analyzer-service-account-authentication
    Verified: 2026-11-25
    """
    return _in_use(key, at, unused_days)


@check(service_accounts, project_policies, hierarchy_policies, severity="high")
def default_service_account_has_no_basic_role(
    account: Resource, *, project_policies: list[Resource], hierarchy_policies: list[Resource]
) -> Verdict:
    """Default service account has no basic role

    Compute Engine and App Engine make it and, unless an organisation policy forbids it, give it Editor.

    Risk: every machine and function that was given no account of its own may change the whole project.
    Fix: gcloud projects remove-iam-policy-binding PROJECT --member=serviceAccount:{name}
        --role=roles/editor, and set the organisation policy
        constraints/iam.automaticIamGrantsForDefaultServiceAccounts.
    Source: https://cloud.google.com/iam/docs/service-account-types#default
    Verified: 2026-11-25, fields by iam v1's discovery document; addresses and role by others' pages.
    """
    if not is_default_account(account["email"]):
        return not_applicable("no default service account")
    if account.get("disabled"):
        return not_applicable("disabled")

    def held(policy: Resource) -> list[str]:
        member = f"serviceAccount:{account['email']}"
        return sorted({role for role, who in grants(policy["bindings"]) if who == member} & set(BASIC_ROLES))

    for policy in project_policies:
        if found := held(policy):
            return fail(f"{', '.join(found)} on the project")
        for node in above(policy, hierarchy_policies):
            if found := held(node):
                return fail(f"{', '.join(found)} on {place(node.key)}")
    return ok("no basic role that changes things")


# Custom roles


def _cannot_raise_rights(role: Resource, allowed: Collection[str]) -> Verdict:
    if role.get("deleted") or role.get("stage") == "DISABLED":
        return not_applicable("deleted or disabled")
    permissions = role["includedPermissions"]
    if permissions is None:
        return not_tested("the inventory does not say which permissions the role has")
    found = [one for one in permissions if one in RAISES_RIGHTS and one not in allowed]
    return (
        fail(f"has {told(found)}") if found else ok(f"permissions: {len(permissions)}, none leads to others")
    )


@check(roles, severity="medium")
def custom_role_cannot_raise_its_rights(role: Resource, *, allowed: Sequence[str] = ()) -> Verdict:
    """Custom role of the project does not let its holder gain further rights

    `allowed` names permissions that custom roles may have all the same, such as iam.serviceAccounts.actAs.

    Risk: a role that looks narrow makes its holder owner by one detour.
    Fix: gcloud iam roles update {name} --project=PROJECT --remove-permissions=PERMISSION
    Source: https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles
    Verified: 2026-11-25
    """
    return _cannot_raise_rights(role, allowed)


@check(hierarchy_roles, severity="medium")
def organization_role_cannot_raise_its_rights(role: Resource, *, allowed: Sequence[str] = ()) -> Verdict:
    """Custom role of the organisation does not let its holder gain further rights

    `allowed` names permissions that custom roles may have all the same, such as iam.serviceAccounts.actAs.

    Risk: a role that looks narrow makes its holder owner by one detour, in every project where it is granted.
    Fix: gcloud iam roles update {name} --organization=ID --remove-permissions=PERMISSION
    Source: https://cloud.google.com/iam/docs/reference/rest/v1/organizations.roles
    Verified: 2026-11-25
    """
    return _cannot_raise_rights(role, allowed)


# Federation


@check(identity_providers, severity="high")
def identity_provider_restricts_who_comes_in(provider: Resource) -> Verdict:
    """Workload identity provider restricts whose tokens it takes

    By an attribute condition. A provider for AWS is bound to one AWS account by itself.

    Risk: everyone who has an identity at the same issuer, such as every repository on GitHub, gets into the
        pool.
    Fix: gcloud iam workload-identity-pools providers update-oidc {name} --workload-identity-pool=POOL
        --location=global --attribute-condition="assertion.repository_owner_id == 'ID'"
    Source: https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
    Verified: 2026-11-25
    """
    if provider.get("state") == "DELETED" or provider.get("disabled"):
        return not_applicable("deleted or disabled")
    condition = (provider.get("attributeCondition") or "").strip()
    if condition and not ALWAYS.match(re.sub(r"\s+", "", condition)):
        return ok(f"takes only tokens for which {condition}")
    if aws := provider.get("aws"):
        return ok(f"takes only tokens of AWS account {aws['accountId']}")
    issuer = (provider.get("oidc") or {}).get("issuerUri") or "its issuer"
    said = f"condition {condition}" if condition else "no attribute condition"
    return fail(f"{said}: every identity of {issuer} comes in")
