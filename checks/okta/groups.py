"""Groups of an Okta org, the administrator roles they give, and the rules that fill them.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Group/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/GroupRule/
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/RoleAssignmentBGroup/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.okta._org import address, bare, group_roles
from checks.okta._org import groups as every_group
from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource


@evidence(
    calls=["GET /api/v1/groups", "GET /api/v1/groups/{groupId}/roles"],
    per="org",
    permissions=["okta.groups.read", "okta.roles.read"],
)
def groups(okta: Any) -> Iterator[Resource]:
    """Every group with the administrator roles it gives. Okta lists those of one group at a time only."""
    for group in every_group(okta):
        profile = group.get("profile") or {}
        yield resource(
            address(okta, f"groups/{group['id']}"),
            name=profile.get("name") or group["id"],
            config={
                "id": group["id"],
                "type": group["type"],
                "created": group.get("created"),
                "profile": {key: profile[key] for key in ("name", "description") if key in profile},
                "Roles": group_roles(okta, group["id"]),
            },
        )


@evidence(calls=["GET /api/v1/groups/rules"], per="org", permissions=["okta.groups.read"])
def rules(okta: Any) -> Iterator[Resource]:
    """Every rule that puts people into groups by their attributes."""
    for rule in okta.pages("/api/v1/groups/rules", limit=200):
        yield resource(address(okta, f"groups/rules/{rule['id']}"), name=rule["name"], config=bare(rule))


@check(rules, severity="medium")
def rule_is_valid(rule: Resource) -> Verdict:
    """Group rule can be carried out

    Risk: people keep or lack access against what the rule says, since a group or attribute it names is gone.
    Fix: Directory > Groups > Rules > {name}: correct or delete it.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/GroupRule/#tag/GroupRule/operation/listGroupRules
    Verified: 2026-11-25
    """
    sentence = f"the status is {rule['status']}"
    return fail(sentence) if rule["status"] == "INVALID" else ok(sentence)


@check(rules, severity="low")
def rule_is_active(rule: Resource) -> Verdict:
    """Group rule is in force

    Risk: who joins or moves is not put into the group, or somebody takes an old rule for the present one.
    Fix: Directory > Groups > Rules > {name} > Activate, or Delete.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/GroupRule/#tag/GroupRule/operation/listGroupRules
    Verified: 2026-11-25
    """
    sentence = f"the status is {rule['status']}"
    return ok(sentence) if rule["status"] == "ACTIVE" else fail(sentence)


@check(rules, groups, severity="high")
def rule_gives_no_administrator_rights(rule: Resource, *, groups: list[Resource]) -> Verdict:
    """Group rule makes nobody an administrator

    Risk: whoever can edit an attribute of a profile, in Okta or in the directory it comes from, makes
        administrators.
    Fix: Directory > Groups > {name}: assign the members by hand, by request or by privileged access
        management;
        or take the role from the group under Security > Administrators.
    Source: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/GroupRule/#tag/GroupRule/operation/listGroupRules
    Verified: 2026-11-25
    """
    filled = rule["actions"]["assignUserToGroups"]["groupIds"]
    told = [
        f"{group.name} ({', '.join(sorted(role['type'] for role in group['Roles']))})"
        for group in groups
        if group["id"] in filled and group["Roles"]
    ]
    if told:
        return fail(f"fills groups with administrator roles: {', '.join(told)}")
    return ok(f"fills {len(filled)} groups, none with an administrator role")
