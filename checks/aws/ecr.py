"""Amazon ECR, private registries: what is collected from repositories, and what is tested on them.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from checks.aws._policy import open_to_nobody_unknown
from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    as_list,
    check,
    day,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    resource,
)

INDEXES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
"""Manifests that only list the images of several architectures: what they list is scanned, they are not."""

SCANNED = ("COMPLETE", "ACTIVE")
"""The states of basic and of enhanced scanning in which findings are current."""


@evidence(calls=["ecr:GetRegistryPolicy", "ecr:GetRegistryScanningConfiguration"], per="region")
def registry(aws: Any) -> Iterator[Resource]:
    """The registry's own policy, and which repositories it scans, how and when."""
    ecr = aws.client("ecr")
    yield resource(
        f"arn:aws:ecr:{aws.region}:{aws.account}:registry",
        name=aws.region,
        config={
            "Policy": aws.get(
                ecr.get_registry_policy, "policyText", absent="RegistryPolicyNotFoundException"
            ),
            "Scanning": aws.get(ecr.get_registry_scanning_configuration, "scanningConfiguration"),
        },
    )


@evidence(
    calls=[
        "ecr:DescribeRepositories",
        "ecr:GetRepositoryPolicy",
        "ecr:GetLifecyclePolicy",
        "ecr:DescribeImages",
        "ecr:DescribeImageScanFindings",
    ],
    per="region",
)
def repositories(aws: Any) -> Iterator[Resource]:
    """Every repository with its policies and the scan of the image that was pushed last."""
    ecr = aws.client("ecr")
    for repository in aws.pages(ecr.describe_repositories, "repositories"):
        name = repository["repositoryName"]
        yield resource(
            repository["repositoryArn"],
            name=name,
            config={
                **repository,
                "Policy": aws.get(
                    ecr.get_repository_policy,
                    "policyText",
                    absent="RepositoryPolicyNotFoundException",
                    repositoryName=name,
                ),
                "Lifecycle": aws.get(
                    ecr.get_lifecycle_policy,
                    "lifecyclePolicyText",
                    absent="LifecyclePolicyNotFoundException",
                    repositoryName=name,
                ),
                "LatestImage": _latest_image(aws, name),
            },
        )


def _latest_image(aws: Any, repository: str) -> Any:
    """The image pushed last, and its scan; None for none. Of several architectures it is one of them.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html
    """
    ecr = aws.client("ecr")
    images = as_list(aws.all(ecr.describe_images, "imageDetails", repositoryName=repository, maxResults=1000))
    if missing := next((one for one in images if isinstance(one, NotCollected)), None):
        return missing
    latest = max(filter(_is_image, images), key=lambda image: image["imagePushedAt"], default=None)
    if latest is None:
        return None
    scan = aws.get(
        ecr.describe_image_scan_findings,
        absent="ScanNotFoundException",
        repositoryName=repository,
        imageId={"imageDigest": latest["imageDigest"]},
    )
    if isinstance(scan, dict):
        scan = {
            "status": scan["imageScanStatus"]["status"],
            "findingSeverityCounts": scan.get("imageScanFindings", {}).get("findingSeverityCounts", {}),
        }
    return {
        "imageDigest": latest["imageDigest"],
        "imageTags": sorted(latest.get("imageTags", [])),
        "imagePushedAt": latest["imagePushedAt"],
        "Scan": scan,
    }


def _is_image(image: Any) -> bool:
    """Not a list of images, not a signature or other referrer of one, and not archived."""
    return (
        image.get("imageManifestMediaType") not in INDEXES
        and "subjectManifestDigest" not in image
        and image.get("imageStatus") != "ARCHIVED"
    )


def _covers(rule: Any, repository: str) -> bool:
    """A filter without a wildcard covers all names that contain it.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-filters.html
    """
    filters = [one["filter"] for one in rule["repositoryFilters"]]
    return any(fnmatchcase(repository, one if "*" in one else f"*{one}*") for one in filters)


@check(repositories, registry, severity="high")
def repository_is_scanned(repository: Resource, *, registry: list[Resource]) -> Verdict:
    """ECR repository has its images scanned for vulnerabilities

    By a rule of the registry, or, where the registry scans by the basic method, by the repository's own
    setting.

    Risk: images with known vulnerabilities are deployed unseen.
    Fix: aws ecr put-registry-scanning-configuration --scan-type ENHANCED --rules ... with a filter that
        covers {name}
    Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRegistryScanningConfiguration.html
    Verified: 2026-11-25
    """
    for one in registry:
        scanning = one["Scanning"]
        kind = scanning["scanType"]
        for rule in as_list(scanning.get("rules")):
            if rule["scanFrequency"] != "MANUAL" and _covers(rule, repository.name):
                return ok(f"{kind} scanning, {rule['scanFrequency']}, by a rule of the registry")
        if kind == "BASIC" and repository["imageScanningConfiguration"]["scanOnPush"]:
            return ok("BASIC scanning, SCAN_ON_PUSH, by the repository's own setting")
        return fail(f"{kind} scanning covers the repository neither on push nor continuously")
    return not_tested("no scanning configuration of the registry")


@check(repositories, severity="high")
def latest_image_has_no_critical_findings(
    repository: Resource, *, severities: Sequence[str] = ("CRITICAL",)
) -> Verdict:
    """Latest image of the ECR repository has no critical vulnerability

    Risk: what is deployed from the repository can be attacked through a flaw that is public.
    Fix: rebuild the image on a patched base and push it again; see
        aws ecr describe-image-scan-findings --repository-name {name} --image-id imageDigest=DIGEST
    Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html
    Verified: 2026-11-25
    """
    image = repository["LatestImage"]
    if image is None:
        return not_applicable("no image in the repository")
    what = f"image {image['imageDigest'][:19]} pushed {day(image['imagePushedAt'])}"
    scan = image["Scan"]
    if scan is None:
        return not_tested(f"{what} was not scanned")
    if scan["status"] not in SCANNED:
        return not_tested(f"{what}: scan status {scan['status']}")
    counts = scan["findingSeverityCounts"]
    found = [f"{counts[one]} {one.lower()}" for one in severities if counts.get(one)]
    if found:
        return fail(f"{what}: {', '.join(found)} findings")
    return ok(f"{what}: no {', '.join(severities).lower()} findings")


@check(repositories, severity="medium")
def tags_are_immutable(repository: Resource) -> Verdict:
    """ECR image tags cannot be moved to another image

    Risk: a tag that was reviewed and deployed can be overwritten with other code, unseen.
    Fix: aws ecr put-image-tag-mutability --repository-name {name} --image-tag-mutability IMMUTABLE
    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    Verified: 2026-11-25
    """
    setting = repository["imageTagMutability"]
    but = [one["filter"] for one in as_list(repository.get("imageTagMutabilityExclusionFilters"))]
    if setting == "IMMUTABLE":
        return ok("tag mutability IMMUTABLE")
    if setting == "IMMUTABLE_WITH_EXCLUSION" and "*" not in but:
        return ok(f"tag mutability IMMUTABLE but for {', '.join(but)}")
    return fail(f"tag mutability {setting}" + (f" ({', '.join(but)})" if but else ""))


@check(repositories, severity="critical")
def repository_is_not_public(repository: Resource) -> Verdict:
    """ECR repository is open to nobody unknown

    Risk: anyone with an AWS account can pull your images, or push their own.
    Fix: aws ecr set-repository-policy --repository-name {name} --policy-text ... with named principals
    Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRepositoryPolicy.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown(repository["Policy"], "no repository policy")


@check(registry, severity="critical")
def registry_is_not_public(registry: Resource) -> Verdict:
    """ECR registry's own policy lets in nobody unknown

    It holds for all repositories of the region, beside the policy that each may have.

    Risk: anyone with an AWS account can pull your images, or copy their own into your registry.
    Fix: aws ecr put-registry-policy --region {name} --policy-text ... with named principals
    Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRegistryPolicy.html
    Verified: 2026-11-25
    """
    return open_to_nobody_unknown(registry["Policy"], "no registry policy")


@check(repositories, severity="low")
def old_images_expire(repository: Resource) -> Verdict:
    """ECR repository removes old images by a rule

    Risk: images nobody patches stay ready to be deployed.
    Fix: aws ecr put-lifecycle-policy --repository-name {name} --lifecycle-policy-text ...
    Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetLifecyclePolicy.html
    Verified: 2026-11-25
    """
    return ok("has a lifecycle policy") if repository["Lifecycle"] else fail("no lifecycle policy")
