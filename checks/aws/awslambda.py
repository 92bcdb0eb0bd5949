"""AWS Lambda: what is collected from functions, and what is tested on them.

Policies and URLs of single versions and aliases are read where ListFunctionUrlConfigs gives them; a
resource policy that was put on an alias alone is not.

https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from checks._secrets import is_redacted, known_kind, shown, suggests_secret
from checks.aws._policy import is_public, open_to_nobody_unknown, principals, statements
from checks.aws.vpc import subnets, zones_of
from collector.sdk import (
    NotCollected,
    Reason,
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

BOOKKEEPING = ("LastModified", "LastUpdateStatus", "LastUpdateStatusReason", "RevisionId")

VERIFIED = "2026-11-22"
"""When the table below was last compared with AWS's, by the copy of it in cfn-lint 1.58.0."""

DEPRECATED = {
    "dotnetcore1.0": "2019-06-27",
    "dotnetcore2.0": "2019-05-30",
    "dotnetcore2.1": "2022-01-05",
    "dotnetcore3.1": "2023-04-03",
    "dotnet6": "2024-12-20",
    "dotnet8": "2026-11-10",
    "dotnet10": "2028-11-14",
    "go1.x": "2024-01-08",
    "java8": "2024-01-08",
    "java8.al2": "2027-06-30",
    "java11": "2027-06-30",
    "java17": "2027-06-30",
    "java21": "2029-06-30",
    "java25": "2029-06-30",
    "nodejs": "2016-08-30",
    "nodejs4.3": "2020-03-05",
    "nodejs4.3-edge": "2020-03-05",
    "nodejs6.10": "2019-08-12",
    "nodejs8.10": "2020-03-06",
    "nodejs10.x": "2021-07-30",
    "nodejs12.x": "2023-03-31",
    "nodejs14.x": "2023-12-04",
    "nodejs16.x": "2024-06-12",
    "nodejs18.x": "2025-09-01",
    "nodejs20.x": "2026-04-30",
    "nodejs22.x": "2027-04-30",
    "nodejs24.x": "2028-04-30",
    "provided": "2024-01-08",
    "provided.al2": "2026-07-31",
    "provided.al2023": "2029-06-30",
    "python2.7": "2021-07-15",
    "python3.6": "2022-07-18",
    "python3.7": "2023-12-04",
    "python3.8": "2024-10-14",
    "python3.9": "2025-12-15",
    "python3.10": "2026-10-31",
    "python3.11": "2027-06-30",
    "python3.12": "2028-10-31",
    "python3.13": "2029-06-30",
    "python3.14": "2029-06-30",
    "ruby2.5": "2021-07-30",
    "ruby2.7": "2023-12-07",
    "ruby3.2": "2026-03-31",
    "ruby3.3": "2027-03-31",
    "ruby3.4": "2028-03-31",
    "ruby4.0": "2029-03-31",
}
"""The day on which AWS deprecates each managed runtime; a day ahead is AWS's forecast and may move.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""


@evidence(calls=["lambda:ListFunctions", "lambda:GetPolicy", "lambda:ListFunctionUrlConfigs"], per="region")
def functions(aws: Any) -> Iterator[Resource]:
    """Every function with its policy and URLs. Values of environment variables are redacted."""
    client = aws.client("lambda")
    for function in aws.pages(client.list_functions, "Functions"):
        name = function["FunctionName"]
        yield resource(
            function["FunctionArn"],
            name=name,
            config={
                **{key: value for key, value in function.items() if key not in BOOKKEEPING},
                "Environment": _environment(aws, function.get("Environment") or {}),
                "Policy": aws.get(
                    client.get_policy, "Policy", absent="ResourceNotFoundException", FunctionName=name
                ),
                "Urls": aws.all(client.list_function_url_configs, "FunctionUrlConfigs", FunctionName=name),
            },
        )


def _environment(aws: Any, environment: dict[str, Any]) -> Any:
    """The variables, redacted; a marker where Lambda could not decrypt them."""
    if error := environment.get("Error"):
        return NotCollected(
            Reason.DENIED, f"lambda:ListFunctions: variables not shown ({error.get('ErrorCode')})"
        )
    return {name: shown(value, aws.redact) for name, value in (environment.get("Variables") or {}).items()}


@check(functions, severity="critical")
def is_not_public(function: Resource) -> Verdict:
    """Lambda function can be invoked by nobody unknown

    Judges the function's resource policy; what lets everybody in through a URL of auth type NONE is judged
    by url_requires_iam.

    Risk: anyone with an AWS account can run the function with its role's rights, at your cost.
    Fix: aws lambda remove-permission --function-name {name} --statement-id SID
    Source: https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
    Verified: 2026-11-25
    """
    policy = function["Policy"]
    rest = [one for one in statements(policy) if not _is_for_url(one)]
    return open_to_nobody_unknown(policy and {"Statement": rest}, "no resource policy")


def _is_for_url(statement: Mapping[str, Any]) -> bool:
    """Whether a statement is one of the two that a function URL of auth type NONE needs.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    wanted = {
        key.lower(): [str(value).lower() for value in as_list(values)]
        for tests in (statement.get("Condition") or {}).values()
        for key, values in tests.items()
    }
    through_url = wanted.get("lambda:invokedviafunctionurl") == ["true"]
    return through_url or wanted.get("lambda:functionurlauthtype") == ["none"]


@check(functions, severity="medium")
def service_permission_names_its_source(function: Resource) -> Verdict:
    """Lambda function lets AWS services in only on behalf of a named account or resource

    Risk: somebody else's bucket, topic or rule in the same AWS service can make it call the function.
    Fix: add the permission anew with --source-account and --source-arn (aws lambda add-permission) and
        remove the statement named in the result.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
    Verified: 2026-11-25
    """
    let_in = [
        (service, statement)
        for statement in statements(function["Policy"])
        for service in principals(statement)
        if ".amazonaws.com" in service
    ]
    loose = [
        f"{statement.get('Sid') or 'statement'} lets in {service}"
        for service, statement in let_in
        if is_public({**statement, "Principal": "*"})
    ]
    if loose:
        return fail(f"{'; '.join(loose)} on behalf of any account")
    if not let_in:
        return not_applicable("no AWS service is let in by a policy")
    return ok(f"{', '.join(sorted({service for service, _ in let_in}))} let in for a named source")


@check(functions, severity="high")
def url_requires_iam(function: Resource) -> Verdict:
    """Lambda function URL asks for IAM credentials

    Risk: anyone on the internet can call the function; its own code is all that stands in between.
    Fix: aws lambda update-function-url-config --function-name {name} --auth-type AWS_IAM
    Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    Verified: 2026-11-25
    """
    urls = function["Urls"]
    open_ = [one["FunctionUrl"] for one in urls if one["AuthType"] == "NONE"]
    if open_:
        return fail(f"auth type NONE on {', '.join(open_)}")
    return ok("auth type AWS_IAM on every URL") if urls else not_applicable("the function has no URL")


@check(functions, severity="low")
def url_limits_origins(function: Resource) -> Verdict:
    """Lambda function URL lets scripts of named web sites only call it

    Which sites' scripts browsers let read its answers (CORS); it keeps out no other client.

    Risk: a script on any web site reads what the function answers to that site's visitor.
    Fix: aws lambda update-function-url-config --function-name {name} --cors AllowOrigins=https://SITE
    Source: https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html
    Verified: 2026-11-25
    """
    urls = function["Urls"]
    if not urls:
        return not_applicable("the function has no URL")
    origins = sorted({one for url in urls for one in (url.get("Cors") or {}).get("AllowOrigins") or ()})
    if "*" in origins:
        return fail("scripts of every site may call it (AllowOrigins *)")
    return ok(
        f"scripts of {', '.join(origins)} may call it" if origins else "scripts of no other site may call it"
    )


@check(functions, subnets, severity="low")
def spans_zones(function: Resource, *, subnets: list[Resource], min_zones: int = 2) -> Verdict:
    """Lambda function in a VPC has subnets in several availability zones

    Risk: when the zone of its only subnet fails, the function cannot run, though Lambda could elsewhere.
    Fix: aws lambda update-function-configuration --function-name {name} --vpc-config SubnetIds=SUBNET,SUBNET
    Source: https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfigResponse.html
    Verified: 2026-11-25
    """
    ids = (function.get("VpcConfig") or {}).get("SubnetIds")
    if not ids:
        return not_applicable("in no VPC of the account; Lambda runs it in several zones")
    zones = zones_of(ids, subnets)
    stated = f"subnets in {', '.join(zones)}"
    return ok(stated) if len(zones) >= min_zones else fail(stated)


@check(functions, severity="medium")
def runtime_is_supported(function: Resource, *, at: datetime) -> Verdict:
    """Lambda function runs on a runtime that AWS still patches

    Risk: vulnerabilities found in the language or its libraries are no longer mended.
    Fix: aws lambda update-function-configuration --function-name {name} --runtime NEWER, after testing.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
    Verified: 2026-11-25
    """
    if function.get("PackageType") == "Image":
        return not_applicable("container image: what it runs on is in the image")
    runtime = function["Runtime"]
    if runtime == "custom":
        return not_applicable("customer-managed runtime: its publisher sets its dates")
    if runtime not in DEPRECATED:
        return not_tested(f"runtime {runtime} is not in the table of {VERIFIED}")
    deprecation = DEPRECATED[runtime]
    if day(at) >= deprecation:
        return fail(f"runtime {runtime}, deprecated on {deprecation}")
    return ok(f"runtime {runtime}, supported until {deprecation}")


@check(functions, severity="high")
def environment_holds_no_known_secret(function: Resource) -> Verdict:
    """Lambda environment variables hold nothing that has the form of a secret

    Access keys, tokens, private keys and passwords in URLs are told by their form.

    Risk: everyone who may list functions reads the secret, and it is never rotated.
    Fix: store it in Secrets Manager, let the function fetch it, remove the variable and replace the secret.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    Verified: 2026-11-25
    """
    found = [
        f"{name} ({kind})" for name, value in function["Environment"].items() if (kind := known_kind(value))
    ]
    if found:
        return fail(f"secrets in {', '.join(sorted(found))}")
    return ok("no variable has the form of a known kind of secret")


@check(functions, severity="low")
def environment_names_no_secret(function: Resource) -> Verdict:
    """Lambda environment variables are not named like secrets

    Judges names, so it can be wrong: a variable named so whose value is an ARN, true, false or empty is
    let by.

    Risk: a password or token in a variable is read by everyone who may list functions.
    Fix: keep the value in Secrets Manager and put the secret's ARN into the variable.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    Verified: 2026-11-25
    """
    named = [
        name
        for name, value in function["Environment"].items()
        if suggests_secret(name) and is_redacted(value)
    ]
    if named:
        return fail(f"values in {', '.join(sorted(named))}")
    return ok("no variable is named like a secret")
