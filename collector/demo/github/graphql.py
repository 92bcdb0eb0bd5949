"""What GitHub's GraphQL API answers about a company: a query's selection, taken out of views of the facts.

A view is a mapping from the fields of a GraphQL type to their values, or to functions of their arguments.
A field that no view has is refused as GitHub refuses one that does not exist.

https://docs.github.com/en/graphql/reference
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    value_from_ast_untyped,
)

from collector.demo.github.company import (
    API,
    BORN,
    WEB,
    Company,
    Facts,
    branches,
    collaborators,
    governs,
    node,
    number,
    organization_rulesets,
    protection_of,
    protections,
    role_of,
    rulesets,
    sha,
    sources,
    team_people,
)

View = Mapping[str, Any]

ABSTRACT = {
    "Actor": ("Bot", "EnterpriseUserAccount", "Mannequin", "Organization", "User"),
    "BranchActorAllowanceActor": ("App", "Team", "User"),
    "GitObject": ("Blob", "Commit", "Tag", "Tree"),
    "RepositoryOwner": ("Organization", "User"),
}
"""Interfaces and unions that queries may ask for by name, and their types. Everything is a `Node`."""

PARAMETERS = {
    "branch_name_pattern": "BranchNamePatternParameters",
    "code_scanning": "CodeScanningParameters",
    "commit_author_email_pattern": "CommitAuthorEmailPatternParameters",
    "commit_message_pattern": "CommitMessagePatternParameters",
    "committer_email_pattern": "CommitterEmailPatternParameters",
    "file_path_restriction": "FilePathRestrictionParameters",
    "merge_queue": "MergeQueueParameters",
    "pull_request": "PullRequestParameters",
    "required_deployments": "RequiredDeploymentsParameters",
    "required_status_checks": "RequiredStatusChecksParameters",
    "tag_name_pattern": "TagNamePatternParameters",
    "update": "UpdateParameters",
    "workflows": "WorkflowsParameters",
}
"""The GraphQL type of each rule's parameters, by REST's name of the rule."""

WITHIN = {
    "codeScanningTools": "CodeScanningTool",
    "requiredStatusChecks": "StatusCheckConfiguration",
    "workflows": "WorkflowFileReference",
}
"""The GraphQL type of what a field of a rule's parameters holds."""

PULL_REQUEST_PARAMETERS = {
    "allowed_merge_methods": ["merge", "squash", "rebase"],
    "dismiss_stale_reviews_on_push": False,
    "require_code_owner_review": False,
    "require_last_push_approval": False,
    "required_approving_review_count": 0,
    "required_review_thread_resolution": False,
}

PLAIN_ROLES = {"triage": "read", "maintain": "write"}
"""What the source of a permission calls a role, as it knows only three."""

MOST_NODES = 500_000
"""https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#node-limit"""

REPOSITORY_ROLES = {2: "maintain", 4: "write", 5: "admin"}
SECURITY_POLICIES = ("SECURITY.md", ".github/SECURITY.md", "docs/SECURITY.md")


class QueryError(Exception):
    """A query that GitHub would not run, with the error it gives."""

    def __init__(self, message: str, **more: Any) -> None:
        super().__init__(message)
        self.error = {"message": message, **more}


def execute(company: Company, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a query: `data`, or `errors` where it cannot be run.

    A part for which the company has nothing by that name is null, with an error that says so.
    """
    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return {"errors": [{"message": error.message}]}
    fragments = {
        one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
    }
    operation = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    defaults = {
        one.variable.name.value: value_from_ast_untyped(one.default_value)
        for one in operation.variable_definitions or ()
        if one.default_value
    }
    run = _Run(fragments, {**defaults, **variables})
    if (asked := run.nodes(operation.selection_set)) > MOST_NODES:
        return {
            "errors": [
                {
                    "type": "MAX_NODE_LIMIT_EXCEEDED",
                    "message": f"This query requests up to {asked:,} possible nodes which exceeds the"
                    f" maximum limit of {MOST_NODES:,}.",
                }
            ]
        }
    try:
        data = run.select(_query(company), [operation.selection_set], [])
    except QueryError as error:
        return {"errors": [error.error]}
    return {"data": data, "errors": run.errors} if run.errors else {"data": data}


def fail(answer: dict[str, Any], error: Mapping[str, Any]) -> None:
    """Adds an error to an answer; what it has a path to is null, and without a path there is no data."""
    answer.setdefault("errors", []).append({"locations": [{"line": 1, "column": 1}], **error})
    path = list(error.get("path") or ())
    if not path:
        answer.pop("data", None)
        return
    here = answer["data"]
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = None


class _Run:
    """One execution of a query."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]) -> None:
        self.errors: list[dict[str, Any]] = []
        self._fragments = fragments
        self._variables = variables

    def nodes(self, selection: SelectionSetNode | None, times: int = 1) -> int:
        """How many nodes a selection can bring, as GitHub counts before it runs a query."""
        count = 0
        for one in selection.selections if selection else ():
            if isinstance(one, FragmentSpreadNode):
                count += self.nodes(self._fragments[one.name.value].selection_set, times)
                continue
            arguments = getattr(one, "arguments", None) or ()
            pages = [
                value_from_ast_untyped(each.value, dict(self._variables))
                for each in arguments
                if each.name.value in ("first", "last")
            ]
            within = times * pages[0] if pages else times
            count += (within if pages else 0) + self.nodes(getattr(one, "selection_set", None), within)
        return count

    def select(
        self, view: View, selections: Sequence[SelectionSetNode], path: list[str | int]
    ) -> dict[str, Any]:
        """What the selections ask of a view."""
        fields: dict[str, list[FieldNode]] = {}
        for one in self._fields(view["__typename"], selections):
            fields.setdefault((one.alias or one.name).value, []).append(one)
        return {key: self._field(view, nodes, [*path, key]) for key, nodes in fields.items()}

    def _fields(self, kind: str, selections: Iterable[SelectionSetNode]) -> Iterator[FieldNode]:
        for selection in (one for each in selections for one in each.selections):
            if isinstance(selection, FieldNode):
                yield selection
                continue
            inner: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                inner = self._fragments[selection.name.value]
            assert isinstance(inner, InlineFragmentNode | FragmentDefinitionNode)  # noqa: S101 - all there are
            wanted = inner.type_condition.name.value if inner.type_condition else kind
            if wanted in (kind, "Node") or kind in ABSTRACT.get(wanted, ()):
                yield from self._fields(kind, [inner.selection_set])

    def _field(self, view: View, nodes: Sequence[FieldNode], path: list[str | int]) -> Any:
        name = nodes[0].name.value
        if name not in view:
            raise QueryError(
                f"Field '{name}' doesn't exist on type '{view['__typename']}'",
                path=path,
                extensions={"code": "undefinedField", "typeName": view["__typename"], "fieldName": name},
            )
        value = view[name]
        if callable(value):
            value = value(
                {
                    one.name.value: value_from_ast_untyped(one.value, dict(self._variables))
                    for one in nodes[0].arguments or ()
                }
            )
        return self._complete(value, [one.selection_set for one in nodes if one.selection_set], path)

    def _complete(self, value: Any, selections: list[SelectionSetNode], path: list[str | int]) -> Any:
        if isinstance(value, QueryError):
            self.errors.append({**value.error, "path": path})
            return None
        if isinstance(value, Mapping):
            return self.select(value, selections, path)
        if isinstance(value, list | tuple):
            return [self._complete(one, selections, [*path, place]) for place, one in enumerate(value)]
        return value


def connection(
    items: Sequence[Any], of: str, edge: Callable[[Any], Mapping[str, Any]] | None = None
) -> Callable[[Mapping[str, Any]], Any]:
    """The items as a connection, which gives at most a hundred at once.

    https://docs.github.com/en/graphql/guides/using-pagination-in-the-graphql-api
    """

    def page(arguments: Mapping[str, Any]) -> View:
        count = arguments.get("first") or arguments.get("last")
        if count is None:
            raise QueryError(
                "You must provide a `first` or `last` value to properly paginate.",
                type="MISSING_PAGINATION_BOUNDARIES",
            )
        if count > 100:
            raise QueryError(
                f"Requesting {count} records exceeds the `first` limit of 100 records.",
                type="EXCESSIVE_PAGINATION",
            )
        start = int(base64.b64decode(arguments["after"])) if arguments.get("after") else 0
        if arguments.get("last"):
            start = max(0, len(items) - count)
        shown = [one() if callable(one) else one for one in items[start : start + count]]
        ends = [base64.b64encode(str(start + place + 1).encode()).decode() for place in range(len(shown))]
        return {
            "__typename": f"{of}Connection",
            "totalCount": len(items),
            "nodes": shown,
            "edges": [
                {
                    "__typename": f"{of}Edge",
                    "node": one,
                    "cursor": cursor,
                    **(edge(one) if edge else {}),
                }
                for one, cursor in zip(shown, ends, strict=True)
            ],
            "pageInfo": {
                "__typename": "PageInfo",
                "hasNextPage": start + count < len(items),
                "hasPreviousPage": start > 0,
                "startCursor": ends[0] if ends else None,
                "endCursor": ends[-1] if ends else None,
            },
        }

    return page


def _query(company: Company) -> View:
    def organization(arguments: Mapping[str, Any]) -> Any:
        if str(arguments["login"]).lower() == company.login:
            return _organization(company)
        return _nothing("an Organization with the login of", arguments["login"])

    def repository(arguments: Mapping[str, Any]) -> Any:
        name = f"{arguments['owner']}/{arguments['name']}"
        facts = company.repository(arguments["name"]) if arguments["owner"] == company.login else None
        return _nothing("a Repository with the name", name) if facts is None else _repository(company, facts)

    return {
        "__typename": "Query",
        "organization": organization,
        "repository": repository,
        "viewer": _user("auditor"),
    }


def _nothing(what: str, name: str) -> QueryError:
    return QueryError(f"Could not resolve to {what} '{name}'.", type="NOT_FOUND")


def _user(login: str) -> View:
    """A person, or an app's account, which ends in `[bot]`."""
    plain = login.removesuffix("[bot]")
    return {
        "__typename": "Bot" if login.endswith("[bot]") else "User",
        "id": node("user", login),
        "databaseId": number("user", login),
        "login": plain,
        "name": plain.capitalize(),
        "url": f"{WEB}/{plain}",
        "createdAt": BORN,
    }


def _actor(login: str | None) -> View | None:
    return _user(login) if login else None


def _team(company: Company, slug: str) -> View:
    facts = company["teams"].get(slug)
    return {
        "__typename": "Team",
        "id": node("team", slug),
        "databaseId": number("team", slug),
        "slug": slug,
        "name": slug,
        "combinedSlug": f"{company.login}/{slug}",
        "members": connection([_user(one) for one in team_people(facts)], "TeamMember"),
    }


def _organization(company: Company) -> View:
    facts = company.organization
    return {
        "__typename": "Organization",
        "id": node("user", company.login),
        "databaseId": number("user", company.login),
        "login": company.login,
        "name": facts.get("name", "Acme"),
        "url": f"{WEB}/{company.login}",
        "viewerCanAdminister": facts["viewer_can_administer"],
        "requiresTwoFactorAuthentication": facts.get("two_factor_requirement_enabled", False)
        if facts["viewer_can_administer"]
        else None,
        "isVerified": facts.get("is_verified", False),
        "ipAllowListEnabledSetting": _enabled(facts["ip_allow_list"]),
        "ipAllowListForInstalledAppsEnabledSetting": _enabled(facts["ip_allow_list_for_apps"]),
        "notificationDeliveryRestrictionEnabledSetting": _enabled(facts["notification_restriction"]),
        "samlIdentityProvider": lambda _: _identity_provider(company),
        "membersWithRole": connection(
            [_member(login, facts) for login, facts in company["members"].items()],
            "OrganizationMember",
            lambda member: {
                "role": role_of(company, member["login"]).upper(),
                "hasTwoFactorEnabled": (company["members"][member["login"]] or {}).get("two_factor", "app")
                != "none",
            },
        ),
        "teams": connection([_team(company, slug) for slug in company["teams"]], "Team"),
        "rulesets": connection(
            [_ruleset(company, one, True) for one in organization_rulesets(company)], "RepositoryRuleset"
        ),
        "repositories": lambda arguments: _repositories(company, arguments),
    }


def _member(login: str, facts: Facts | None) -> View:
    return {**_user(login), "organizationVerifiedDomainEmails": lambda _: (facts or {}).get("emails", [])}


def _enabled(on: bool) -> str:
    return "ENABLED" if on else "DISABLED"


def _identity_provider(company: Company) -> View | None:
    facts = company.organization
    if not facts["saml"] or not facts["viewer_can_administer"]:
        return None
    linked = [(login, (one or {}).get("saml")) for login, one in company["members"].items()]
    return {
        "__typename": "OrganizationIdentityProvider",
        "id": node("provider", company.login),
        "ssoUrl": facts["saml"],
        "issuer": facts["saml"],
        "digestMethod": None,
        "signatureMethod": None,
        "externalIdentities": connection(
            [
                {
                    "__typename": "ExternalIdentity",
                    "guid": node("identity", login),
                    "user": _user(login),
                    "samlIdentity": {
                        "__typename": "ExternalIdentitySamlAttributes",
                        "nameId": name,
                        "username": name,
                    },
                    "scimIdentity": None,
                }
                for login, name in linked
                if name
            ],
            "ExternalIdentity",
        ),
    }


def _repositories(company: Company, arguments: Mapping[str, Any]) -> Any:
    order = arguments.get("orderBy") or {"field": "NAME", "direction": "ASC"}
    key = {"NAME": "name", "PUSHED_AT": "pushed_at", "CREATED_AT": "created_at"}[order["field"]]
    names = sorted(company["repositories"])
    if key != "name":
        names.sort(key=lambda name: str((company.repository(name) or {}).get(key) or BORN))
    if order["direction"] == "DESC":
        names.reverse()
    if "isArchived" in arguments:
        wanted = arguments["isArchived"]
        names = [
            one for one in names if (company["repositories"][one] or {}).get("archived", False) == wanted
        ]
    views = [lambda name=name: _repository(company, company.repository(name) or {}) for name in names]
    return connection(views, "Repository")(arguments)


def _repository(company: Company, facts: Facts) -> View:
    url = f"{WEB}/{company.login}/{facts['name']}"
    sees = facts["viewer_can_administer"]
    releases = [one for one in facts["releases"] if not one.get("draft") and not one.get("prerelease")]
    default = facts["default_branch"]
    return {
        "__typename": "Repository",
        "id": node("repository", facts["name"]),
        "databaseId": number("repository", facts["name"]),
        "name": facts["name"],
        "nameWithOwner": f"{company.login}/{facts['name']}",
        "url": url,
        "owner": _organization(company),
        "description": facts.get("description"),
        "visibility": facts["visibility"].upper(),
        "isPrivate": facts["private"],
        "isArchived": facts.get("archived", False),
        "archivedAt": facts.get("archived_at"),
        "isDisabled": facts.get("disabled", False),
        "isEmpty": facts["empty"],
        "isFork": facts.get("fork", False),
        "isTemplate": facts.get("is_template", False),
        "createdAt": facts.get("created_at", BORN),
        "pushedAt": None if facts["empty"] else facts["pushed_at"],
        "updatedAt": facts.get("updated_at", BORN),
        "viewerCanAdminister": sees,
        "viewerPermission": "ADMIN" if sees else "READ",
        "hasVulnerabilityAlertsEnabled": facts["vulnerability_alerts"],
        "isSecurityPolicyEnabled": any(path in facts["files"] for path in SECURITY_POLICIES)
        or any(path in (company.repository(".github") or facts)["files"] for path in SECURITY_POLICIES),
        "securityPolicyUrl": f"{url}/security/policy",
        "deleteBranchOnMerge": facts.get("delete_branch_on_merge", False),
        "webCommitSignoffRequired": facts.get("web_commit_signoff_required", False),
        "latestRelease": _release(url, releases[-1]) if releases else None,
        "releases": connection([_release(url, one) for one in facts["releases"]], "Release"),
        "defaultBranchRef": lambda _: _branch(company, facts, default) if branches(facts) else None,
        "refs": connection([_branch(company, facts, one) for one in branches(facts)], "Ref"),
        "ref": lambda arguments: _named_branch(company, facts, arguments["qualifiedName"]),
        "branchProtectionRules": connection(
            [_protection(company, facts, rule) for rule in protections(facts)] if sees else [],
            "BranchProtectionRule",
        ),
        "rulesets": connection(
            [_ruleset(company, one, sees) for one in rulesets(company, facts)], "RepositoryRuleset"
        ),
        "codeowners": {"__typename": "RepositoryCodeowners", "errors": _codeowners_errors(facts)}
        if facts["codeowners_errors"] is not None
        else None,
        "collaborators": lambda arguments: _collaborators(company, facts, arguments),
        "deployKeys": connection(
            [
                {
                    "__typename": "DeployKey",
                    "id": node("key", facts["name"], one["title"]),
                    "title": one["title"],
                    "readOnly": one.get("read_only", True),
                    "verified": one.get("verified", True),
                    "createdAt": one.get("created_at", BORN),
                }
                for one in facts["keys"]
            ],
            "DeployKey",
        ),
        "environments": connection(
            [{"__typename": "Environment", "name": one["name"]} for one in facts["environments"]],
            "Environment",
        ),
        "object": lambda arguments: _object(facts, arguments.get("expression") or ""),
        "pullRequests": lambda arguments: _pull_requests(company, facts, arguments),
    }


def _release(url: str, facts: Facts) -> View:
    return {
        "__typename": "Release",
        "tagName": facts["tag_name"],
        "name": facts.get("name"),
        "url": f"{url}/releases/tag/{facts['tag_name']}",
        "immutable": facts.get("immutable", False),
        "isDraft": facts.get("draft", False),
        "isPrerelease": facts.get("prerelease", False),
        "publishedAt": facts.get("published_at", BORN),
        "createdAt": facts.get("created_at", BORN),
    }


def _codeowners_errors(facts: Facts) -> list[View]:
    return [
        {
            "__typename": "RepositoryCodeownersError",
            "column": 1,
            "kind": "Unknown owner",
            "line": 1,
            "message": "Unknown owner",
            "path": ".github/CODEOWNERS",
            "source": "* @nobody",
            "suggestion": None,
            **error,
        }
        for error in facts["codeowners_errors"]
    ]


def _collaborators(company: Company, facts: Facts, arguments: Mapping[str, Any]) -> Any:
    if not facts["viewer_can_administer"]:
        return None
    roles = collaborators(company, facts, str(arguments.get("affiliation") or "all").lower())
    return connection(
        [_user(login) for login in roles],
        "RepositoryCollaborator",
        lambda person: {
            "permission": roles[person["login"]].upper(),
            "permissionSources": [
                {
                    "__typename": "PermissionSource",
                    "permission": PLAIN_ROLES.get(role, role).upper(),
                    "roleName": role,
                    "organization": _organization(company),
                    "source": _source(company, facts, kind, name),
                }
                for kind, name, role in sources(company, facts, person["login"])
            ],
        },
    )(arguments)


def _source(company: Company, facts: Facts, kind: str, name: str) -> View:
    if kind == "Team":
        return _team(company, name)
    return _organization(company) if kind == "Organization" else _repository(company, facts)


def _named_branch(company: Company, facts: Facts, name: str) -> View | None:
    plain = name.removeprefix("refs/heads/")
    return _branch(company, facts, plain) if plain in branches(facts) else None


def _branch(company: Company, facts: Facts, name: str) -> View:
    rule = protection_of(facts, name)
    sees = facts["viewer_can_administer"]
    return {
        "__typename": "Ref",
        "id": node("ref", facts["name"], name),
        "name": name,
        "prefix": "refs/heads/",
        "branchProtectionRule": _protection(company, facts, rule) if rule and sees else None,
        "rules": connection(
            [
                _rule(company, ruleset, rule, sees)
                for ruleset in rulesets(company, facts)
                if ruleset["target"] == "branch"
                and ruleset["enforcement"] != "disabled"
                and governs(ruleset, facts, name)
                for rule in ruleset["rules"]
            ],
            "RepositoryRule",
        ),
        "target": _commit(company, facts, {"oid": sha(facts["name"], name)}, facts["commits"]),
    }


def _protection(company: Company, facts: Facts, rule: Facts) -> View:
    def allowed(of: str, names: Iterable[str] | None) -> Any:
        allowances = [
            {
                "__typename": of,
                "id": node(of, facts["name"], rule["pattern"], one),
                "actor": _team(company, one) if one in company["teams"] else _user(one),
            }
            for one in names or ()
        ]
        return connection(allowances, of)

    checks = rule["required_status_checks"]
    count = rule["required_approving_review_count"]
    return {
        "__typename": "BranchProtectionRule",
        "id": node("rule", facts["name"], rule["pattern"]),
        "databaseId": number("rule", facts["name"], rule["pattern"]),
        "pattern": rule["pattern"],
        "allowsDeletions": rule["allow_deletions"],
        "allowsForcePushes": rule["allow_force_pushes"],
        "blocksCreations": rule["block_creations"],
        "dismissesStaleReviews": rule["dismiss_stale_reviews"],
        "isAdminEnforced": rule["enforce_admins"],
        "lockAllowsFetchAndMerge": rule["allow_fork_syncing"],
        "lockBranch": rule["lock_branch"],
        "requireLastPushApproval": rule["require_last_push_approval"],
        "requiredApprovingReviewCount": count,
        "requiredStatusCheckContexts": list(checks or ()),
        "requiresApprovingReviews": count is not None,
        "requiresCodeOwnerReviews": rule["require_code_owner_reviews"],
        "requiresCommitSignatures": rule["required_signatures"],
        "requiresConversationResolution": rule["required_conversation_resolution"],
        "requiresLinearHistory": rule["required_linear_history"],
        "requiresStatusChecks": checks is not None,
        "requiresStrictStatusChecks": rule["strict"],
        "restrictsPushes": rule["restrictions"] is not None,
        "restrictsReviewDismissals": rule["dismissal_restrictions"] is not None,
        "bypassForcePushAllowances": allowed(
            "BypassForcePushAllowance", rule["bypass_force_push_allowances"]
        ),
        "bypassPullRequestAllowances": allowed(
            "BypassPullRequestAllowance", rule["bypass_pull_request_allowances"]
        ),
        "pushAllowances": allowed("PushAllowance", rule["restrictions"]),
        "reviewDismissalAllowances": allowed("ReviewDismissalAllowance", rule["dismissal_restrictions"]),
    }


def _ruleset(company: Company, ruleset: Facts, sees: bool) -> View:
    level = ruleset["source_type"]
    where = ruleset["source"].removeprefix(f"{company.login}/")
    return {
        "__typename": "RepositoryRuleset",
        "id": ruleset["node_id"],
        "databaseId": ruleset["id"],
        "name": ruleset["name"],
        "enforcement": ruleset["enforcement"].upper(),
        "target": ruleset["target"].upper(),
        "createdAt": ruleset["created_at"],
        "updatedAt": ruleset["updated_at"],
        "source": lambda _: (
            _organization(company)
            if level == "Organization"
            else _repository(company, company.repository(where) or {})
        ),
        "bypassActors": connection(
            [_bypass(company, one) for one in ruleset["bypass_actors"]] if sees else [],
            "RepositoryRulesetBypassActor",
        ),
        "rules": connection(
            [_rule(company, ruleset, one, sees) for one in ruleset["rules"]], "RepositoryRule"
        ),
    }


def _bypass(company: Company, facts: Facts) -> View:
    kind, identity = facts["actor_type"], facts.get("actor_id")
    by_number = {number("team", slug): slug for slug in company["teams"]}
    actor: View | None = None
    if kind == "Team" and identity in by_number:
        actor = _team(company, by_number[identity])
    elif kind == "Integration":
        slugs = {number("app", one["app_slug"]): one["app_slug"] for one in company["installations"]}
        slug = slugs.get(identity or 0, "an-app")
        actor = {"__typename": "App", "id": node("app", slug), "slug": slug, "name": slug}
    role = kind == "RepositoryRole"
    return {
        "__typename": "RepositoryRulesetBypassActor",
        "actor": actor,
        "bypassMode": facts.get("bypass_mode", "always").upper(),
        "deployKey": kind == "DeployKey",
        "enterpriseOwner": kind == "EnterpriseOwner",
        "organizationAdmin": kind == "OrganizationAdmin",
        "repositoryRoleDatabaseId": identity if role else None,
        "repositoryRoleName": REPOSITORY_ROLES.get(identity or 0) if role else None,
    }


def _rule(company: Company, ruleset: Facts, rule: Facts, sees: bool) -> View:
    kind = PARAMETERS.get(rule["type"])
    given = rule.get("parameters")
    if rule["type"] == "pull_request":
        given = {**PULL_REQUEST_PARAMETERS, **(given or {})}
    return {
        "__typename": "RepositoryRule",
        "id": node("rule", ruleset["id"], rule["type"]),
        "type": rule["type"].upper(),
        "parameters": _camel(given, kind) if kind and given else None,
        "repositoryRuleset": lambda _: _ruleset(company, ruleset, sees),
    }


def _camel(value: Any, kind: str) -> Any:
    """REST's names of fields as GraphQL's, all the way down."""
    if isinstance(value, list):
        return [_camel(one, kind) for one in value]
    if not isinstance(value, Mapping):
        return value
    fields = {re.sub(r"_(\w)", lambda found: found[1].upper(), name): one for name, one in value.items()}
    return {"__typename": kind, **{name: _camel(one, WITHIN.get(name, "")) for name, one in fields.items()}}


def _object(facts: Facts, expression: str) -> View | None:
    """A file or a folder of the default branch, by `HEAD:path`."""
    revision, _, path = expression.partition(":")
    if revision not in ("HEAD", facts["default_branch"]) or not branches(facts):
        return None
    if path in facts["files"]:
        return _blob(facts, path)
    prefix = f"{path}/" if path else ""
    inside = sorted(
        {
            rest.split("/")[0]
            for one in facts["files"]
            if (rest := one.removeprefix(prefix)) != one or not prefix
        }
    )
    if not inside:
        return None
    return {
        "__typename": "Tree",
        "oid": sha(facts["name"], path, "tree"),
        "entries": [
            {
                "__typename": "TreeEntry",
                "name": name,
                "path": f"{prefix}{name}",
                "type": "blob" if f"{prefix}{name}" in facts["files"] else "tree",
                "object": _object(facts, f"HEAD:{prefix}{name}"),
            }
            for name in inside
        ],
    }


def _blob(facts: Facts, path: str) -> View:
    text = facts["files"][path] or ""
    return {
        "__typename": "Blob",
        "oid": sha(facts["name"], path, text),
        "byteSize": len(text.encode()),
        "isBinary": False,
        "isTruncated": False,
        "text": text,
    }


def _pull_requests(company: Company, facts: Facts, arguments: Mapping[str, Any]) -> Any:
    states = arguments.get("states") or ()
    wanted = [states] if isinstance(states, str) else list(states)
    base = arguments.get("baseRefName")
    order = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    key = {"CREATED_AT": "createdAt", "UPDATED_AT": "updatedAt"}[order["field"]]
    found = [
        one
        for one in (_pull_request(company, facts, place, pull) for place, pull in _numbered(facts))
        if (not wanted or one["state"] in wanted) and base in (None, one["baseRefName"])
    ]
    found.sort(key=lambda one: str(one[key]), reverse=order["direction"] == "DESC")
    return connection(found, "PullRequest")(arguments)


def _numbered(facts: Facts) -> list[tuple[int, Facts]]:
    return [(one.get("number", place), one) for place, one in enumerate(facts["pull_requests"], 1)]


def _pull_request(company: Company, facts: Facts, place: int, pull: Facts) -> View:
    merged, created = pull.get("merged_at"), pull.get("created_at", BORN)
    head = pull.get("head") or sha(facts["name"], "pull", place)
    commit = _commit(company, facts, {"oid": head, "checks": pull.get("checks"), "at": created})
    closed = merged or pull.get("closed_at")
    merge = {"oid": sha(facts["name"], "merge", place), "at": merged, "pull_requests": [place], "parents": 2}
    return {
        "__typename": "PullRequest",
        "id": node("pull", facts["name"], place),
        "number": place,
        "url": f"{WEB}/{company.login}/{facts['name']}/pull/{place}",
        "title": pull.get("title", f"Change {place}"),
        "author": _actor(pull.get("author")),
        "state": "MERGED" if merged else "CLOSED" if closed else "OPEN",
        "baseRefName": pull.get("base", facts["default_branch"]),
        "headRefName": pull.get("head_ref", f"change-{place}"),
        "headRefOid": head,
        "createdAt": created,
        "updatedAt": pull.get("updated_at") or closed or created,
        "closedAt": closed,
        "mergedAt": merged,
        "mergedBy": _actor(pull.get("merged_by")),
        "mergeCommit": _commit(company, facts, merge) if merged else None,
        "reviews": lambda arguments: _reviews(company, facts, pull, head, arguments),
        "commits": connection([{"__typename": "PullRequestCommit", "commit": commit}], "PullRequestCommit"),
    }


def _reviews(company: Company, facts: Facts, pull: Facts, head: str, arguments: Mapping[str, Any]) -> Any:
    states = arguments.get("states") or ()
    wanted = [states] if isinstance(states, str) else list(states)
    found = [
        {
            "__typename": "PullRequestReview",
            "id": node("review", facts["name"], head, place),
            "author": _actor(one.get("author")),
            "authorAssociation": _association(company, facts, one.get("author")),
            "authorCanPushToRepository": one.get("can_push", True),
            "state": one.get("state", "APPROVED"),
            "submittedAt": one.get("submitted_at") or pull.get("merged_at") or BORN,
            "commit": _commit(company, facts, {"oid": one.get("commit") or head}),
        }
        for place, one in enumerate(pull.get("reviews", ()))
        if not wanted or one.get("state", "APPROVED") in wanted
    ]
    return connection(found, "PullRequestReview")(arguments)


def _association(company: Company, facts: Facts, login: str | None) -> str:
    if login in company["members"]:
        return "MEMBER"
    return "COLLABORATOR" if login in facts["collaborators"] else "NONE"


def _commit(company: Company, facts: Facts, commit: Facts, history: Sequence[Facts] = ()) -> View:
    author = commit.get("author", "ada")
    pulls = dict(_numbered(facts))
    return {
        "__typename": "Commit",
        "id": node("commit", commit["oid"]),
        "oid": commit["oid"],
        "url": f"{WEB}/{company.login}/{facts['name']}/commit/{commit['oid']}",
        "committedDate": commit.get("at", BORN),
        "messageHeadline": commit.get("message", "Change"),
        "author": {
            "__typename": "GitActor",
            "name": commit.get("author_name") or (author or "Somebody").capitalize(),
            "user": _actor(author),
        },
        "parents": lambda _: {"__typename": "CommitConnection", "totalCount": commit.get("parents", 1)},
        "associatedPullRequests": connection(
            [
                lambda place=place: _pull_request(company, facts, place, pulls[place])
                for place in commit.get("pull_requests", ())
            ],
            "PullRequest",
        ),
        "statusCheckRollup": _rollup(company, facts, commit["oid"], commit.get("checks")),
        "history": lambda arguments: _history(company, facts, history, arguments),
    }


def _history(company: Company, facts: Facts, commits: Sequence[Facts], arguments: Mapping[str, Any]) -> Any:
    since = str(arguments.get("since") or "")[:19]
    found = [
        _commit(company, facts, {"oid": sha(facts["name"], "commit", place), **one})
        for place, one in enumerate(commits)
        if str(one.get("at", BORN))[:19] >= since
    ]
    found.sort(key=lambda one: str(one["committedDate"]), reverse=True)
    return connection(found, "CommitHistory")(arguments)


def _rollup(company: Company, facts: Facts, oid: str, checks: Sequence[Facts] | None) -> View | None:
    """The checks of a commit: runs have a `name`, statuses a `context`."""
    if not checks:
        return None
    url = f"{API}/repos/{company.login}/{facts['name']}"
    contexts: list[View] = [
        {
            "__typename": "CheckRun",
            "id": node("check", oid, one["name"]),
            "name": one["name"],
            "status": "COMPLETED",
            "conclusion": one.get("conclusion", "SUCCESS"),
            "startedAt": one.get("started_at", BORN),
            "completedAt": one.get("completed_at", BORN),
            "url": f"{url}/runs/{number('check', oid, one['name'])}",
        }
        if "name" in one
        else {
            "__typename": "StatusContext",
            "id": node("status", oid, one["context"]),
            "context": one["context"],
            "state": one.get("state", "SUCCESS"),
            "createdAt": one.get("created_at", BORN),
            "targetUrl": None,
        }
        for one in checks
    ]
    good = ("SUCCESS", "NEUTRAL", "SKIPPED")
    fine = all((one.get("conclusion") or one.get("state")) in good for one in contexts)
    return {
        "__typename": "StatusCheckRollup",
        "id": node("rollup", oid),
        "state": "SUCCESS" if fine else "FAILURE",
        "contexts": connection(contexts, "StatusCheckRollupContext"),
    }
