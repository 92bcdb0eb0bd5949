"""Whose the accounts in a GitHub organisation are, by what the identity provider and verified domains say.

https://docs.github.com/en/graphql/reference/objects#externalidentity
https://docs.github.com/en/graphql/reference/objects#user (organizationVerifiedDomainEmails)
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

PROVIDER_QUERY = """
query($org: String!) { organization(login: $org) { viewerCanAdminister samlIdentityProvider { id } } }
"""

LINKED_QUERY = """
query($org: String!, $after: String) {
  organization(login: $org) {
    samlIdentityProvider {
      externalIdentities(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { user { login } samlIdentity { nameId } }
      }
    }
  }
}
"""

MEMBERS_QUERY = """
query($org: String!, $after: String) {
  organization(login: $org) {
    membersWithRole(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { login url organizationVerifiedDomainEmails(login: $org) }
    }
  }
}
"""


@evidence(calls=["graphql"], per="organization", permissions=["organization.members"])
def identities(github: Any) -> Iterator[Resource]:
    """Every member, with their name at the identity provider and their addresses at verified domains.

    Only owners see the identity provider. `SingleSignOn` is whether there is one.
    """
    linked: Any = None
    try:
        linked = _linked(github)
    except NotCollectedError as error:
        linked = NotCollected(error.reason, error.detail)
    gap = linked if isinstance(linked, NotCollected) else None
    for member in github.nodes(MEMBERS_QUERY, "organization", "membersWithRole"):
        login = member["login"]
        yield resource(
            member["url"],
            name=login,
            config={
                "Login": login,
                "VerifiedEmails": member["organizationVerifiedDomainEmails"],
                "SingleSignOn": gap or linked is not None,
                "SamlNameId": gap or (linked or {}).get(login),
            },
        )


def _linked(github: Any) -> dict[str, str] | None:
    """What the identity provider calls each member who is linked to it; None if there is no provider."""
    organization = github.query(PROVIDER_QUERY, "organization")
    provider = organization["samlIdentityProvider"]
    if isinstance(provider, NotCollected):
        raise NotCollectedError(provider.reason, provider.detail)
    if provider is None:
        if not organization["viewerCanAdminister"]:
            why = (
                "the identity provider is shown to owners only; read as one, or as an app with Members: Read"
            )
            raise NotCollectedError(Reason.NOT_OBSERVABLE, why)
        return None
    listing = github.nodes(LINKED_QUERY, "organization", "samlIdentityProvider", "externalIdentities")
    return {
        one["user"]["login"]: one["samlIdentity"]["nameId"]
        for one in listing
        if one["user"] and one["samlIdentity"]
    }


@check(identities, severity="high")
def member_is_linked_to_single_sign_on(member: Resource) -> Verdict:
    """Member is linked to an identity at the organisation's identity provider

    Not applicable to an organisation without one; see `github.organization.has_single_sign_on`.

    Risk: the account stays open when the identity provider closes the person's, and is past its rules.
    Fix: have the member sign in at https://github.com/orgs/ORG/sso, then require SAML for the organisation.
    Source: https://docs.github.com/en/graphql/reference/objects#externalidentity
    Verified: 2026-11-25
    """
    if not member["SingleSignOn"]:
        return not_applicable("the organisation has no identity provider")
    name = member["SamlNameId"]
    return ok(f"linked to {name}") if name else fail("linked to no identity at the provider")
