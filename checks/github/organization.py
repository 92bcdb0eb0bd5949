"""The GitHub organisation: its own settings, and what every new repository starts with.

https://docs.github.com/en/rest/orgs/orgs#get-an-organization
https://docs.github.com/en/rest/code-security/configurations#get-default-code-security-configurations
https://docs.github.com/en/graphql/reference/objects#organization
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import (
    NotCollected,
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

SETTINGS = (
    "archived_at",
    "default_repository_permission",
    "dependabot_alerts_enabled_for_new_repositories",
    "dependabot_security_updates_enabled_for_new_repositories",
    "deploy_keys_enabled_for_repositories",
    "html_url",
    "is_verified",
    "members_can_change_repo_visibility",
    "members_can_create_public_pages",
    "members_can_create_public_repositories",
    "members_can_create_repositories",
    "members_can_delete_repositories",
    "members_can_fork_private_repositories",
    "members_can_invite_outside_collaborators",
    "secret_scanning_enabled_for_new_repositories",
    "secret_scanning_push_protection_enabled_for_new_repositories",
    "two_factor_requirement_enabled",
    "web_commit_signoff_required",
)
"""What is kept of the organisation: not its counters, which change every day."""

FEATURES = (
    "dependabot_alerts",
    "dependabot_security_updates",
    "secret_scanning",
    "secret_scanning_push_protection",
)
NEW_REPOSITORIES = {"all": {"public", "private"}, "public": {"public"}, "private_and_internal": {"private"}}
"""To which new repositories a default configuration applies, by `default_for_new_repos`."""

WITHOUT_ENTERPRISE = ("free", "team")
"""Plans that lack what GitHub Enterprise Cloud adds.

https://docs.github.com/en/get-started/learning-about-github/githubs-plans
"""

# Each part under a name of its own: where one is refused, GitHub answers null for the whole of its name.
SETTINGS_QUERY = """
query($org: String!) {
  viewer: organization(login: $org) { viewerCanAdminister }
  saml: organization(login: $org) { samlIdentityProvider { issuer ssoUrl } }
  notifications: organization(login: $org) { notificationDeliveryRestrictionEnabledSetting }
  allowList: organization(login: $org) {
    ipAllowListEnabledSetting
    ipAllowListForInstalledAppsEnabledSetting
  }
}
"""


@evidence(
    calls=["GET /orgs/{org}", "GET /orgs/{org}/code-security/configurations/defaults", "graphql"],
    per="organization",
    permissions=["organization.administration", "organization.plan", "repository.metadata"],
)
def settings(github: Any) -> Iterator[Resource]:
    """The organisation's settings: sign-in, what members may do, and defaults for new repositories."""
    answer = github.once("organization", lambda: github.get("/orgs/{org}"))
    defaults = github.get("/orgs/{org}/code-security/configurations/defaults")
    shown = github.query(SETTINGS_QUERY)
    yield resource(
        f"orgs/{github.organization}",
        name=github.organization,
        config={
            "Settings": _kept(answer),
            "Plan": answer if isinstance(answer, NotCollected) else (answer.get("plan") or {}).get("name"),
            "Viewer": shown["viewer"],
            "SingleSignOn": shown["saml"],
            "Notifications": shown["notifications"],
            "AllowList": shown["allowList"],
            "Defaults": defaults
            if isinstance(defaults, NotCollected)
            else [_default(one) for one in defaults],
        },
    )


def _kept(answer: Any) -> Any:
    return answer if isinstance(answer, NotCollected) else {name: answer.get(name) for name in SETTINGS}


def _default(default: Any) -> dict[str, Any]:
    configuration = default["configuration"]
    return {
        "default_for_new_repos": default["default_for_new_repos"],
        "name": configuration["name"],
        "enforcement": configuration.get("enforcement"),
        **{feature: configuration.get(feature) for feature in FEATURES},
    }


def _setting(organization: Resource, name: str) -> Any:
    """A setting; not tested where GitHub leaves it out, as it does for all but owners."""
    value = organization["Settings"][name]
    if value is None:
        raise NotCollectedError(
            Reason.NOT_OBSERVABLE,
            f"GitHub did not show {name}: it needs an organisation owner or Administration: Read",
        )
    return value


def _off(organization: Resource, name: str) -> Verdict:
    return fail(f"{name} is true") if _setting(organization, name) else ok(f"{name} is false")


@check(settings, severity="critical")
def requires_two_factor(organization: Resource) -> Verdict:
    """Organisation requires two-factor authentication of everyone

    Risk: a stolen or guessed password is enough to read and change the source code.
    Fix: Organisation settings > Authentication security > Require two-factor authentication. Members and
        outside collaborators without it are removed: tell them first.
    Source: https://docs.github.com/en/rest/orgs/orgs#get-an-organization
    Verified: 2026-11-25
    """
    required = _setting(organization, "two_factor_requirement_enabled")
    return (
        ok("two-factor authentication is required")
        if required
        else fail("two-factor authentication is not required")
    )


@check(settings, severity="high")
def has_single_sign_on(organization: Resource) -> Verdict:
    """Organisation signs its members in through an identity provider (SAML)

    GitHub shows that a provider is set up, not whether single sign-on is enforced.

    Risk: who leaves the company keeps access to the source code until somebody remembers to remove it.
    Fix: Organisation settings > Authentication security > Enable SAML authentication, then Require SAML.
    Source: https://docs.github.com/en/graphql/reference/objects#organizationidentityprovider
    Verified: 2026-11-25
    """
    provider = organization["SingleSignOn"]["samlIdentityProvider"]
    if provider:
        return ok(f"SAML identity provider {provider['issuer'] or provider['ssoUrl']}")
    if (plan := organization["Plan"]) in WITHOUT_ENTERPRISE:
        return not_applicable(f"the plan {plan} has no SAML single sign-on")
    if not organization["Viewer"]["viewerCanAdminister"]:
        raise NotCollectedError(
            Reason.NOT_OBSERVABLE, "GitHub shows the SAML identity provider to organisation owners only"
        )
    return fail("no SAML identity provider on the organisation; one of its enterprise would not show here")


@check(settings, severity="high")
def gives_members_at_most_read(organization: Resource) -> Verdict:
    """Organisation gives members no more than read access to all repositories

    Risk: every member can change every repository, whether their work needs it or not.
    Fix: gh api -X PATCH /orgs/{name} -f default_repository_permission=read (or none)
    Source: https://docs.github.com/en/rest/orgs/orgs#get-an-organization
    Verified: 2026-11-25
    """
    base = _setting(organization, "default_repository_permission")
    sentence = f"the base permission is {base}"
    return ok(sentence) if base in ("none", "read") else fail(sentence)


@check(settings, severity="low")
def limits_repository_creation(organization: Resource) -> Verdict:
    """Organisation lets only owners create repositories

    Risk: source code gathers in repositories that nobody knows of, without the protection of the others.
    Fix: gh api -X PATCH /orgs/{name} -F members_can_create_repositories=false
    Source: https://docs.github.com/en/rest/orgs/orgs#update-an-organization
    Verified: 2026-11-25
    """
    return _off(organization, "members_can_create_repositories")


@check(settings, severity="medium")
def limits_public_repositories(organization: Resource) -> Verdict:
    """Organisation lets only owners create public repositories

    Risk: one wrong choice when a repository is created publishes the company's code or secrets.
    Fix: gh api -X PATCH /orgs/{name} -F members_can_create_public_repositories=false
    Source: https://docs.github.com/en/rest/orgs/orgs#update-an-organization
    Verified: 2026-11-25
    """
    return _off(organization, "members_can_create_public_repositories")


@check(settings, severity="low")
def limits_public_pages(organization: Resource) -> Verdict:
    """Organisation lets no member publish a public GitHub Pages site

    Risk: internal documents or customer data reach the internet as a site that nobody approved.
    Fix: gh api -X PATCH /orgs/{name} -F members_can_create_public_pages=false
    Source: https://docs.github.com/en/rest/orgs/orgs#update-an-organization
    Verified: 2026-11-25
    """
    return _off(organization, "members_can_create_public_pages")


@check(settings, severity="medium")
def forbids_private_forks(organization: Resource) -> Verdict:
    """Organisation forbids forks of private repositories

    Risk: copies of the source code lie in personal accounts, out of reach of the company's rules.
    Fix: gh api -X PATCH /orgs/{name} -F members_can_fork_private_repositories=false
    Source: https://docs.github.com/en/rest/orgs/orgs#update-an-organization
    Verified: 2026-11-25
    """
    return _off(organization, "members_can_fork_private_repositories")


@check(settings, severity="medium")
def limits_visibility_changes(organization: Resource) -> Verdict:
    """Organisation lets only owners change the visibility of a repository

    Risk: a repository administrator can make private code public with a click.
    Fix: Organisation settings > Member privileges > Repository visibility change: allow owners only.
    Source: https://docs.github.com/en/rest/orgs/orgs#get-an-organization
    Verified: 2026-11-25
    """
    return _off(organization, "members_can_change_repo_visibility")


@check(settings, severity="medium")
def limits_repository_deletion(organization: Resource) -> Verdict:
    """Organisation lets only owners delete or transfer repositories

    Risk: a repository administrator, or whoever has their account, can destroy code and its history.
    Fix: Organisation settings > Member privileges > Repository deletion and transfer: owners only.
    Source: https://docs.github.com/en/rest/orgs/orgs#get-an-organization
    Verified: 2026-11-25
    """
    return _off(organization, "members_can_delete_repositories")


@check(settings, severity="medium")
def limits_outside_invitations(organization: Resource) -> Verdict:
    """Organisation lets only owners invite outside collaborators

    Risk: people outside the company get access to source code without anybody who answers for it knowing.
    Fix: Organisation settings > Member privileges > Repository outside collaborators: owners only.
    Source: https://docs.github.com/en/rest/orgs/orgs#get-an-organization
    Verified: 2026-11-25
    """
    return _off(organization, "members_can_invite_outside_collaborators")


@check(settings, severity="low")
def has_verified_domain(organization: Resource) -> Verdict:
    """Organisation has proved that its domain is its own

    Risk: nobody can tell the company's organisation from one that imitates it.
    Fix: Organisation settings > Verified and approved domains > Add a domain.
    Source: https://docs.github.com/en/rest/orgs/orgs#get-an-organization
    Verified: 2026-11-25
    """
    verified = _setting(organization, "is_verified")
    return ok("a domain is verified") if verified else fail("no domain is verified")


@check(settings, severity="low")
def notifies_verified_addresses_only(organization: Resource) -> Verdict:
    """Organisation sends notifications to addresses of its own domains only

    Risk: parts of private code and discussions are mailed to private mailboxes.
    Fix: Organisation settings > Verified and approved domains > Restrict email notifications.
    Source: https://docs.github.com/en/graphql/reference/enums#notificationrestrictionsettingvalue
    Verified: 2026-11-25
    """
    if (plan := organization["Plan"]) in WITHOUT_ENTERPRISE:
        return not_applicable(f"the plan {plan} cannot restrict email notifications")
    value = organization["Notifications"]["notificationDeliveryRestrictionEnabledSetting"]
    sentence = f"restriction of email notifications is {value}"
    return ok(sentence) if value == "ENABLED" else fail(sentence)


@check(settings, severity="low")
def has_ip_allow_list(organization: Resource) -> Verdict:
    """Organisation is reached from listed networks only

    Risk: a stolen token or session works from anywhere.
    Fix: Organisation settings > Authentication security > IP allow list: add the networks, then enable.
    Source: https://docs.github.com/en/graphql/reference/enums#ipallowlistenabledsettingvalue
    Verified: 2026-11-25
    """
    if (plan := organization["Plan"]) in WITHOUT_ENTERPRISE:
        return not_applicable(f"the plan {plan} has no IP allow list")
    value = organization["AllowList"]["ipAllowListEnabledSetting"]
    return ok("the IP allow list is ENABLED") if value == "ENABLED" else fail(f"the IP allow list is {value}")


def _on_for_new_repositories(organization: Resource, feature: str) -> Verdict:
    """Whether a feature is on in new repositories, by the older setting or by default configurations."""
    if organization["Settings"][f"{feature}_enabled_for_new_repositories"]:
        return ok(f"{feature}_enabled_for_new_repositories is true")
    with_it = [one for one in organization["Defaults"] if one[feature] == "enabled"]
    reached = {kind for one in with_it for kind in NEW_REPOSITORIES[one["default_for_new_repos"]]}
    if missing := sorted(NEW_REPOSITORIES["all"] - reached):
        return fail(
            f"no default configuration turns on {feature} in new {' and '.join(missing)} repositories"
        )
    names = ", ".join(sorted({one["name"] for one in with_it}))
    return ok(f"default configuration {names} turns on {feature}")


@check(settings, severity="medium")
def new_repositories_get_dependabot_alerts(organization: Resource) -> Verdict:
    """New repositories start with Dependabot alerts on

    Risk: known vulnerabilities in the dependencies of new projects go unnoticed.
    Fix: Organisation settings > Advanced Security > Configurations: make one with Dependabot alerts the
        default for all new repositories.
    Source: https://docs.github.com/en/rest/code-security/configurations#get-default-code-security-configurations
    Verified: 2026-11-25
    """
    return _on_for_new_repositories(organization, "dependabot_alerts")


@check(settings, severity="low")
def new_repositories_get_security_updates(organization: Resource) -> Verdict:
    """New repositories start with Dependabot security updates on

    Risk: a fix that exists waits until somebody finds time to apply it.
    Fix: Organisation settings > Advanced Security > Configurations: make one with security updates the
        default for all new repositories.
    Source: https://docs.github.com/en/rest/code-security/configurations#get-default-code-security-configurations
    Verified: 2026-11-25
    """
    return _on_for_new_repositories(organization, "dependabot_security_updates")


@check(settings, severity="medium")
def new_repositories_get_secret_scanning(organization: Resource) -> Verdict:
    """New repositories start with secret scanning on

    Risk: credentials committed to new projects stay in the history until somebody misuses them.
    Fix: Organisation settings > Advanced Security > Configurations: make one with secret scanning the
        default for all new repositories.
    Source: https://docs.github.com/en/rest/code-security/configurations#get-default-code-security-configurations
    Verified: 2026-11-25
    """
    return _on_for_new_repositories(organization, "secret_scanning")


@check(settings, severity="medium")
def new_repositories_get_push_protection(organization: Resource) -> Verdict:
    """New repositories start with push protection on

    Risk: credentials are found only after they were published.
    Fix: Organisation settings > Advanced Security > Configurations: make one with push protection the
        default for all new repositories.
    Source: https://docs.github.com/en/rest/code-security/configurations#get-default-code-security-configurations
    Verified: 2026-11-25
    """
    return _on_for_new_repositories(organization, "secret_scanning_push_protection")
