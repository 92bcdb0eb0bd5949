"""AWS CodeArtifact: its repositories, and what is tested on them.

https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws._policy import open_to_nobody_unknown
from collector.sdk import NotCollected, Resource, Verdict, as_list, check, evidence, fail, ok, resource


@evidence(
    calls=[
        "codeartifact:GetRepositoryPermissionsPolicy",
        "codeartifact:ListPackages",
        "codeartifact:ListRepositories",
    ],
    per="region",
)
def repositories(aws: Any) -> Iterator[Resource]:
    """Every repository of the account with its policy and the packages that may come from two sides.

    CodeArtifact itself picks out the packages that take versions from upstream and by publishing alike.
    https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_ListPackages.html
    """
    client = aws.client("codeartifact")
    for one in aws.pages(client.list_repositories, "repositories"):
        where = {"domain": one["domainName"], "domainOwner": one["domainOwner"], "repository": one["name"]}
        mixed = aws.all(client.list_packages, "packages", publish="ALLOW", upstream="ALLOW", **where)
        yield resource(
            one["arn"],
            name=one["name"],
            config={
                "name": one["name"],
                "domainName": one["domainName"],
                "domainOwner": one["domainOwner"],
                "Policy": aws.get(
                    client.get_repository_permissions_policy,
                    "policy",
                    absent="ResourceNotFoundException",
                    **where,
                ),
                "FromBothSides": [
                    package if isinstance(package, NotCollected) else _name(package)
                    for package in as_list(mixed)
                ],
            },
        )


def _name(package: Any) -> str:
    return " ".join(package[key] for key in ("format", "namespace", "package") if package.get(key))


@check(repositories, severity="high")
def packages_come_from_one_side(repository: Resource) -> Verdict:
    """No package of the CodeArtifact repository is both published by you and taken from outside

    Risk: whoever publishes your package's name with a higher version on a public registry has their code
        built into yours (dependency confusion).
    Fix: aws codeartifact put-package-origin-configuration --domain DOMAIN --repository {name} --format FORMAT
        --package PACKAGE --restrictions publish=ALLOW,upstream=BLOCK
    Source: https://docs.aws.amazon.com/codeartifact/latest/ug/package-origin-controls.html
    Verified: 2026-11-25
    """
    mixed = sorted(repository["FromBothSides"])
    if mixed:
        more = f" and {len(mixed) - 5} more" if len(mixed) > 5 else ""
        return fail(f"publish and upstream both allowed: {', '.join(mixed[:5])}{more}")
    return ok("no package allows both publish and upstream")


@check(repositories, severity="critical")
def repository_is_not_public(repository: Resource) -> Verdict:
    """CodeArtifact repository is open to nobody unknown

    The domain's own policy is not judged.

    Risk: anyone with an AWS account can read your packages, or publish their own.
    Fix: aws codeartifact put-repository-permissions-policy --domain DOMAIN --repository {name}
        --policy-document FILE with named principals
    Source: https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetRepositoryPermissionsPolicy.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown((repository["Policy"] or {}).get("document"), "no repository policy")
