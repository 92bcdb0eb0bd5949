"""AWS Organizations: how the accounts are governed together, and what is tested on it.

Only the management account (and accounts it delegates to) sees policies, accounts and delegations; in any
other account the checks on these are not applicable.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"

SECURITY_SERVICES = (
    "access-analyzer.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "guardduty.amazonaws.com",
    "inspector2.amazonaws.com",
    "securityhub.amazonaws.com",
)


@evidence(calls=["organizations:DescribeOrganization"], per="account")
def organization(aws: Any) -> Iterator[Resource]:
    """The organization that the account belongs to, as every member may see it."""
    found = aws.get(
        aws.client("organizations").describe_organization,
        "Organization",
        absent="AWSOrganizationsNotInUseException",
    )
    if isinstance(found, dict):
        found.pop("AvailablePolicyTypes", None)  # not to be relied on, says AWS; ListRoots is
        found.pop("MasterAccountEmail", None)
    yield resource(
        f"arn:aws:organizations::{aws.account}:membership",
        name=aws.account,
        config={"AccountId": aws.account, "Organization": found},
    )


@evidence(
    calls=[
        "organizations:DescribeOrganization",
        "organizations:ListAccounts",
        "organizations:ListDelegatedAdministrators",
        "organizations:ListDelegatedServicesForAccount",
        "organizations:ListPolicies",
        "organizations:ListRoots",
        "organizations:ListTargetsForPolicy",
        "iam:ListOrganizationsFeatures",
    ],
    per="account",
)
def management(aws: Any) -> Iterator[Resource]:
    """What the management account governs: accounts, policies and where they apply, delegations.

    In every other account only that it is not the management account.
    """
    client = aws.client("organizations")
    key, name = f"arn:aws:organizations::{aws.account}:management", aws.account
    found = aws.get(client.describe_organization, "Organization", absent="AWSOrganizationsNotInUseException")
    if not isinstance(found, dict):
        manages = False if found is None else found
    else:
        manages = found["MasterAccountId"] == aws.account
    if manages is not True:
        yield resource(key, name=name, config={"Manages": manages})
        return
    yield resource(
        key,
        name=name,
        config={
            "Manages": True,
            "Accounts": _kept(
                aws.all(client.list_accounts, "Accounts"), Id="Id", Name="Name", State="Status"
            ),
            "DelegatedAdministrators": _administrators(aws, client),
            "Policies": {kind: _policies(aws, client, kind) for kind in (SCP, RCP)},
            "RootFeatures": aws.get(
                aws.client("iam").list_organizations_features,
                "EnabledFeatures",
                absent=("ServiceAccessNotEnabledException", "OrganizationNotInAllFeaturesModeException"),
            ),
            "Roots": aws.all(client.list_roots, "Roots"),
        },
    )


@evidence(calls=["organizations:DescribeEffectivePolicy"], per="account")
def effective_policies(aws: Any) -> Iterator[Resource]:
    """What the organization's tag policies, and its opt-outs from AI services, come to in the account.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeEffectivePolicy.html
    """
    client = aws.client("organizations")
    found = {}
    for name, kind in (("Tags", "TAG_POLICY"), ("AiServices", "AISERVICES_OPT_OUT_POLICY")):
        policy = aws.get(
            client.describe_effective_policy,
            "EffectivePolicy",
            absent=("AWSOrganizationsNotInUseException", "EffectivePolicyNotFoundException"),
            PolicyType=kind,
        )
        found[name] = json.loads(policy["PolicyContent"]) if isinstance(policy, dict) else policy
    yield resource(f"arn:aws:organizations::{aws.account}:effective-policies", name=aws.account, config=found)


def _kept(listing: Any, **fields: str) -> Any:
    """A listing with these fields only, each by its own or another name; owners' addresses stay out."""
    if not isinstance(listing, list):
        return listing
    return [
        {name: one.get(name) or one.get(other) for name, other in fields.items()}
        if isinstance(one, dict)
        else one
        for one in listing
    ]


def _administrators(aws: Any, client: Any) -> Any:
    """The accounts that administer services for the organization, and which."""
    admins = _kept(aws.all(client.list_delegated_administrators, "DelegatedAdministrators"), Id="Id")
    for admin in admins if isinstance(admins, list) else ():
        if isinstance(admin, dict):
            services = aws.all(
                client.list_delegated_services_for_account, "DelegatedServices", AccountId=admin["Id"]
            )
            admin["Services"] = _kept(services, Service="ServicePrincipal")
    return admins


def _policies(aws: Any, client: Any, kind: str) -> Any:
    """The policies of one kind, each with the roots, units and accounts to which it applies."""
    policies = aws.all(client.list_policies, "Policies", Filter=kind)
    for policy in policies if isinstance(policies, list) else ():
        if isinstance(policy, dict):
            policy["Targets"] = aws.all(client.list_targets_for_policy, "Targets", PolicyId=policy["Id"])
    return policies


@check(organization, severity="medium")
def account_is_in_organization(account: Resource) -> Verdict:
    """Account belongs to an organization

    Risk: no rule from above holds in it, and nobody sees it beside the others.
    Fix: aws organizations create-organization, or invite the account from the management account.
    Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
    Verified: 2026-11-25
    """
    found = account["Organization"]
    return ok(f"in organization {found['Id']}") if found else fail("in no organization")


@check(organization, severity="medium")
def organization_has_all_features(account: Resource) -> Verdict:
    """Organization has all features on, not consolidated billing only

    Risk: service control policies, delegated administration and central logging cannot be used.
    Fix: aws organizations enable-all-features, from the management account.
    Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_org_support-all-features.html
    Verified: 2026-11-25
    """
    found = account["Organization"]
    if not found:
        return not_applicable("in no organization")
    features = found["FeatureSet"]
    return (ok if features == "ALL" else fail)(f"feature set {features} of {found['Id']}")


def _not_managing(account: Resource) -> Verdict | None:
    """Why a check on the organization says nothing in this account; None if it does."""
    if account["Manages"]:
        return None
    return not_applicable("not the management account of an organization")


def _applied(account: Resource, kind: str) -> Verdict:
    """Whether any policy of this kind but AWS's own, which allow everything, applies to anything."""
    applied = [one["Name"] for one in account["Policies"][kind] if not one["AwsManaged"] and one["Targets"]]
    return ok(f"applied: {', '.join(sorted(applied))}") if applied else fail("none but AWS's own applied")


@check(management, severity="medium")
def service_control_policies_are_on(account: Resource) -> Verdict:
    """Organization has service control policies switched on

    Risk: no limit can be set that an account's own administrator cannot lift.
    Fix: aws organizations enable-policy-type --root-id ROOT --policy-type SERVICE_CONTROL_POLICY
    Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListRoots.html
    Verified: 2026-11-25
    """
    if nothing := _not_managing(account):
        return nothing
    states = {
        root["Id"]: {one["Type"]: one["Status"] for one in root["PolicyTypes"]}.get(SCP, "not enabled")
        for root in account["Roots"]
    }
    said = ", ".join(f"{state} on root {root}" for root, state in states.items())
    return ok(said) if set(states.values()) == {"ENABLED"} else fail(said)


@check(management, severity="medium")
def service_control_policies_are_applied(account: Resource) -> Verdict:
    """Organization limits its accounts by service control policies of its own

    Risk: whoever takes over an account's administrator can do there what the company never wants done.
    Fix: aws organizations create-policy --type SERVICE_CONTROL_POLICY ...; attach-policy to the root or a
        unit. Deny at least leaving the organization, switching off logs and unused regions.
    Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    Verified: 2026-11-25
    """
    return _not_managing(account) or _applied(account, SCP)


@check(management, severity="low")
def resource_control_policies_are_applied(account: Resource) -> Verdict:
    """Organization limits who may reach its resources by resource control policies of its own

    Risk: one mistaken bucket or key policy in any account lets strangers in.
    Fix: aws organizations enable-policy-type --policy-type RESOURCE_CONTROL_POLICY ..., then create and
        attach a policy that denies principals from outside the organization.
    Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    Verified: 2026-11-25
    """
    return _not_managing(account) or _applied(account, RCP)


@check(management, severity="medium")
def root_credentials_are_managed_centrally(account: Resource) -> Verdict:
    """Organization manages its member accounts' root credentials centrally

    Risk: each member account has a root password of its own to protect, rotate and recover.
    Fix: aws iam enable-organizations-root-credentials-management and enable-organizations-root-sessions
    Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOrganizationsFeatures.html
    Verified: 2026-11-25
    """
    if nothing := _not_managing(account):
        return nothing
    enabled = account["RootFeatures"] or []
    lacking = [one for one in ("RootCredentialsManagement", "RootSessions") if one not in enabled]
    return fail(f"{', '.join(lacking)} off") if lacking else ok("RootCredentialsManagement, RootSessions on")


@check(management, severity="low")
def security_services_are_delegated(account: Resource) -> Verdict:
    """Security services are administered from an account other than the management account

    Passes if at least one of Access Analyzer, CloudTrail, Config, GuardDuty, Inspector and Security Hub
    has a delegated administrator.

    Risk: security people need the most powerful account of all for their everyday work.
    Fix: aws organizations register-delegated-administrator --account-id ID --service-principal
        guardduty.amazonaws.com, and the same for the other services.
    Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListDelegatedServicesForAccount.html
    Verified: 2026-11-25
    """
    if nothing := _not_managing(account):
        return nothing
    delegated = [
        f"{one['Service'].split('.')[0]} to {admin['Id']}"
        for admin in account["DelegatedAdministrators"]
        for one in admin["Services"]
        if one["Service"] in SECURITY_SERVICES
    ]
    if delegated:
        return ok(f"delegated: {', '.join(sorted(delegated))}")
    return fail("no security service is delegated")


@check(management, severity="low")
def environments_have_own_accounts(
    account: Resource,
    *,
    production: str = r"prod|live",
    other: str = r"dev|test|stag|qa|sandbox|sbx|nonprod|non-prod|uat|preview",
) -> Verdict:
    """Production and other environments have accounts of their own

    Goes by the accounts' names: at least one active account must match `other`, and one `production` but
    not `other`. Both are regular expressions; case does not count.

    Risk: a test, or a mistake in one, reaches customers' data.
    Fix: aws organizations create-account for each environment, or set the two patterns to your names.
    Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    Verified: 2026-11-25
    """
    if nothing := _not_managing(account):
        return nothing
    names = [one["Name"] for one in account["Accounts"] if one["State"] == "ACTIVE"]
    others = [name for name in names if re.search(other, name, re.IGNORECASE)]
    live = [name for name in names if re.search(production, name, re.IGNORECASE) and name not in others]
    if live and others:
        return ok(f"production: {', '.join(sorted(live))}; other: {', '.join(sorted(others))}")
    return fail(f"no account is named for {'other environments' if live else 'production'}")


def _in_none(organization: list[Resource]) -> Verdict | None:
    """The verdict on an account that is in no organization, and can have no policy of one."""
    for one in organization:
        if not one["Organization"]:
            return not_applicable("in no organization")
    return None


@check(effective_policies, organization, severity="low")
def tag_policy_applies(account: Resource, *, organization: list[Resource]) -> Verdict:
    """Organization's tag policy says how resources of the account are labelled

    Risk: owner, environment and class of a resource are written in many ways or not at all, and no report on
        them is complete.
    Fix: in the management account, aws organizations create-policy --type TAG_POLICY ..., and attach it to
        the root or a unit.
    Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeEffectivePolicy.html
    Verified: 2026-11-25
    """
    if nothing := _in_none(organization):
        return nothing
    tags = sorted(((account["Tags"] or {}).get("tags") or {}).keys())
    return ok(f"tags {', '.join(tags)}") if tags else fail("no tag policy applies to the account")


@check(effective_policies, organization, severity="medium")
def ai_services_are_opted_out(account: Resource, *, organization: list[Resource]) -> Verdict:
    """AWS's AI services may not keep the account's content to improve themselves

    By the policy in force in the account: opted out by default, and opted in to no single service.

    Risk: customers' texts, voices and pictures are kept and used by AWS, in other regions as well.
    Fix: in the management account, aws organizations create-policy --type AISERVICES_OPT_OUT_POLICY with
        services default opt_out_policy optOut, and attach it to the root.
    Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_ai-opt-out_syntax.html
    Verified: 2026-11-25
    """
    if nothing := _in_none(organization):
        return nothing
    services = (account["AiServices"] or {}).get("services") or {}
    chosen = {name: (service.get("opt_out_policy") or "optIn") for name, service in services.items()}
    if chosen.get("default") != "optOut":
        return fail("not opted out by default")
    opted_in = sorted(name for name, choice in chosen.items() if choice != "optOut")
    return fail(f"opted in to {', '.join(opted_in)}") if opted_in else ok("opted out of all AI services")
