"""Amazon Bedrock: how models are used in a region, who may use them, and what is tested on it.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationLoggingConfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.aws.account import account
from checks.aws.iam import groups, roles, users
from checks.aws.logs import log_groups
from checks.aws.s3 import buckets
from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    as_list,
    check,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    resource,
)

FULL_ACCESS = "AmazonBedrockFullAccess"


@evidence(
    calls=[
        "bedrock:GetModelInvocationLoggingConfiguration",
        "cloudwatch:ListMetrics",
        "ec2:DescribeVpcEndpoints",
    ],
    per="region",
)
def usage(aws: Any) -> Iterator[Resource]:
    """Whether models were invoked in the region, where invocations are logged, and the endpoints in VPCs.

    CloudWatch lists a metric for two weeks after it was last written, so that tells whether models are
    used. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
    """
    metrics = aws.all(
        aws.client("cloudwatch").list_metrics, "Metrics", Namespace="AWS/Bedrock", MetricName="Invocations"
    )
    endpoints = aws.all(
        aws.client("ec2").describe_vpc_endpoints,
        "VpcEndpoints",
        Filters=[{"Name": "service-name", "Values": [f"com.amazonaws.{aws.region}.bedrock-runtime"]}],
    )
    yield resource(
        f"arn:aws:bedrock:{aws.region}:{aws.account}:model-invocation",
        name=aws.region,
        config={
            "Invoked": _any(metrics),
            "Logging": aws.get(
                aws.client("bedrock").get_model_invocation_logging_configuration, "loggingConfig"
            ),
            "RuntimeEndpoints": [
                one if isinstance(one, NotCollected) else one["VpcEndpointId"] for one in as_list(endpoints)
            ],
        },
    )


def _any(listing: Any) -> Any:
    """Whether anything was listed; a marker where nothing was and not all could be read."""
    if isinstance(listing, NotCollected):
        return listing
    missing = next((one for one in listing if isinstance(one, NotCollected)), None)
    return missing if missing and len(listing) == 1 else bool(listing)


@evidence(calls=["bedrock:GetPrompt", "bedrock:ListPrompts"], per="region")
def prompts(aws: Any) -> Iterator[Resource]:
    """Every prompt of prompt management, with its key; never its text."""
    client = aws.client("bedrock-agent")
    for prompt in aws.pages(client.list_prompts, "promptSummaries"):
        details = aws.get(client.get_prompt, promptIdentifier=prompt["id"])
        if isinstance(details, dict):
            details = {"customerEncryptionKeyArn": details.get("customerEncryptionKeyArn")}
        yield resource(prompt["arn"], name=prompt["name"], config={"name": prompt["name"], "Key": details})


def _unused(region: Resource) -> Verdict | None:
    return None if region["Invoked"] else not_applicable("no model was invoked here in the last two weeks")


@check(usage, severity="medium")
def invocations_are_logged(region: Resource) -> Verdict:
    """Invocations of Bedrock models are logged where models are used

    Risk: nobody can say what was sent to a model and what it answered, nor who used it at your cost.
    Fix: aws bedrock put-model-invocation-logging-configuration --region {name} --logging-config ...
    Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationLoggingConfiguration.html
    Verified: 2026-11-25
    """
    if to := _destinations(region["Logging"]):
        return ok(f"logged to {' and '.join(to)}")
    return _unused(region) or fail("model invocation logging off")


def _destinations(logging: Any) -> list[str]:
    group, bucket = _group(logging), _bucket(logging)
    return [*([f"log group {group}"] if group else []), *([f"bucket {bucket}"] if bucket else [])]


def _group(logging: Any) -> str:
    return str(((logging or {}).get("cloudWatchConfig") or {}).get("logGroupName") or "")


def _bucket(logging: Any) -> str:
    return str(((logging or {}).get("s3Config") or {}).get("bucketName") or "")


@check(usage, log_groups, buckets, severity="low")
def invocation_logs_use_own_key(
    region: Resource, *, log_groups: list[Resource], buckets: list[Resource]
) -> Verdict:
    """Logs of Bedrock invocations are encrypted with a KMS key, which decides who can read them

    Risk: whoever may read the account's logs or bucket reads all prompts and answers, and what is in them.
    Fix: aws logs associate-kms-key --log-group-name GROUP --kms-key-id KEY_ARN; for a bucket,
        aws s3api put-bucket-encryption with SSEAlgorithm aws:kms
    Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
    Verified: 2026-11-25
    """
    group, bucket = _group(region["Logging"]), _bucket(region["Logging"])
    if not group and not bucket:
        return not_applicable("model invocation logging off")
    plain = []
    if group:
        found = next((one for one in log_groups if one.name == group), None)
        if found is None:
            return not_tested(f"log group {group} is not among those read")
        plain += [] if found.get("kmsKeyId") else [f"log group {group}"]
    if bucket:
        found = next((one for one in buckets if one.name == bucket), None)
        if found is None:
            return not_tested(f"bucket {bucket} is not among the account's own")
        plain += [] if _by_kms(found) else [f"bucket {bucket}"]
    return fail(f"no KMS key on {' and '.join(plain)}") if plain else ok("KMS key on every log")


def _by_kms(bucket: Resource) -> bool:
    rules = as_list((bucket["Encryption"] or {}).get("Rules"))
    return any(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] != "AES256" for rule in rules)


@check(usage, severity="low")
def invocations_can_stay_private(region: Resource) -> Verdict:
    """Bedrock models can be invoked without leaving the private network

    That some VPC has an endpoint does not show that callers use it.

    Risk: prompts leave through the internet gateway, where no endpoint policy limits which models are used.
    Fix: aws ec2 create-vpc-endpoint --region {name} --vpc-id VPC --vpc-endpoint-type Interface
        --service-name com.amazonaws.{name}.bedrock-runtime
    Source: https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html
    Verified: 2026-11-25
    """
    if region["RuntimeEndpoints"]:
        return ok(f"endpoint {', '.join(sorted(region['RuntimeEndpoints']))}")
    return _unused(region) or fail("no endpoint of bedrock-runtime in any VPC")


@check(prompts, severity="low")
def prompt_uses_own_key(prompt: Resource) -> Verdict:
    """Bedrock prompt is encrypted with a KMS key of your own

    Without one Bedrock encrypts it with a key of AWS.

    Risk: who can read the prompt rests on Bedrock's permissions alone; no key can be taken away.
    Fix: aws bedrock-agent update-prompt --prompt-identifier ID --name {name}
        --customer-encryption-key-arn KEY_ARN
    Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_GetPrompt.html
    Verified: 2026-11-25
    """
    key = prompt["Key"]["customerEncryptionKeyArn"]
    return ok(f"KMS key {key}") if key else fail("no key of your own")


@check(account, users, groups, roles, severity="medium")
def nobody_has_full_access(
    account: Resource, *, users: list[Resource], groups: list[Resource], roles: list[Resource]
) -> Verdict:
    """Nobody has AWS's policy of full access to Bedrock

    Policies of your own that give as much are not judged here.

    Risk: whoever holds the policy, or steals its credentials, can use every model, switch off the logging of
        invocations and delete guardrails.
    Fix: aws iam detach-role-policy --role-name ROLE --policy-arn
        arn:aws:iam::aws:policy/AmazonBedrockFullAccess, and attach a policy that names actions and models
    Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonBedrockFullAccess.html
    Verified: 2026-11-25
    """
    holders = [
        holder.name
        for kind in (users, groups, roles)
        for holder in kind
        if any(arn.endswith(f"/{FULL_ACCESS}") for arn in holder["AttachedPolicies"])
    ]
    if holders:
        return fail(f"{FULL_ACCESS} attached to {', '.join(sorted(holders))}")
    return ok(f"{FULL_ACCESS} is attached to nobody")
