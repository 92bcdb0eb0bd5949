"""Amazon API Gateway, REST APIs and custom domain names, and their tests.

https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from checks.aws._policy import NARROWING_KEYS, is_public, principals, statements
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

KEEPS_OUT = ("arnnotequals", "arnnotlike", "notipaddress", "stringnotequals", "stringnotlike")
"""Operators by which a Deny holds of everybody but those it names."""


@evidence(
    calls=["apigateway:GetResources", "apigateway:GetRestApis", "apigateway:GetStages"],
    permissions=["apigateway:GET"],
    per="region",
)
def rest_apis(aws: Any) -> Iterator[Resource]:
    """Every REST API with its resource policy, its stages and who may call each of its methods.

    https://docs.aws.amazon.com/apigateway/latest/api/API_GetResources.html
    """
    client = aws.client("apigateway")
    for api in aws.pages(client.get_rest_apis, "items", limit=500):
        stages = aws.get(client.get_stages, "item", restApiId=api["id"])
        resources = aws.all(client.get_resources, "items", restApiId=api["id"], embed=["methods"], limit=500)
        yield resource(
            f"arn:aws:apigateway:{aws.region}::/restapis/{api['id']}",
            name=api["name"],
            config={
                "id": api["id"],
                "name": api["name"],
                "endpointConfiguration": api["endpointConfiguration"],
                "Policy": _unescaped(api.get("policy")),
                "Methods": _methods(resources),
                "Stages": _stages(stages),
            },
        )


def _unescaped(policy: str | None) -> Any:
    r"""The policy as JSON: API Gateway gives it as it would stand inside a string, `{\"Version\":...`."""
    if policy is None or not policy.startswith('{\\"'):
        return policy
    return json.loads(f'"{policy}"')


def _methods(resources: Any) -> list[Any]:
    """What decides who may call each method; CORS asks OPTIONS without credentials, so it is left out."""
    found: list[Any] = []
    for one in as_list(resources):
        if isinstance(one, NotCollected):
            found.append(one)
            continue
        for verb, method in sorted((one.get("resourceMethods") or {}).items()):
            if verb != "OPTIONS":
                found.append(
                    {
                        "Method": f"{verb} {one['path']}",
                        "Authorization": method.get("authorizationType"),
                        "ApiKey": method.get("apiKeyRequired", False),
                    }
                )
    return found


def _stages(stages: Any) -> Any:
    """The stages' settings, without variables, which may hold secrets, and what each deployment changes."""
    if isinstance(stages, NotCollected):
        return stages
    kept = ("stageName", "cacheClusterEnabled", "methodSettings", "accessLogSettings", "webAclArn")
    return [{key: stage[key] for key in kept if key in stage} for stage in stages or ()]


@evidence(calls=["apigateway:GetDomainNames"], permissions=["apigateway:GET"], per="region")
def domain_names(aws: Any) -> Iterator[Resource]:
    """Every custom domain name, of REST, HTTP and WebSocket APIs."""
    for domain in aws.pages(aws.client("apigateway").get_domain_names, "items", limit=500):
        name = domain["domainName"]
        yield resource(
            domain.get("domainNameArn") or f"arn:aws:apigateway:{aws.region}::/domainnames/{name}",
            name=name,
            config={
                "domainName": name,
                "endpointConfiguration": domain.get("endpointConfiguration"),
                "securityPolicy": domain.get("securityPolicy"),
                "mutualTls": "mutualTlsAuthentication" in domain,
            },
        )


def _keeps_strangers_out(policy: Any) -> bool:
    """Whether a policy denies every call to everybody but those whom one condition names."""
    for statement in statements(policy, "Deny"):
        tests = [
            (operator.lower(), key.lower())
            for operator, keys in (statement.get("Condition") or {}).items()
            for key in keys
        ]
        everything = any(str(one).endswith("*") for one in as_list(statement.get("Resource")))
        if "*" in principals(statement) and everything and len(tests) == 1:
            operator, key = tests[0]
            if operator in KEEPS_OUT and key in NARROWING_KEYS:
                return True
    return False


@check(rest_apis, severity="high")
def api_asks_who_calls(api: Resource) -> Verdict:
    """REST API asks who calls it

    By its resource policy, or on every method by IAM, a user pool or an authorizer of its own. An API key
    is no proof of who calls, and a client certificate asked for by a custom domain is not seen here. Where
    a method is meant for everybody, accept the failure by an exception.

    Risk: anyone on the internet can call the methods; the code behind them is all that stands in between.
    Fix: aws apigateway update-method --rest-api-id ID --resource-id RESOURCE --http-method VERB
        --patch-operations op=replace,path=/authorizationType,value=AWS_IAM
    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_Method.html
    Verified: 2026-11-25
    """
    policy = api["Policy"]
    if policy and not any(is_public(one) for one in statements(policy)):
        return ok("the resource policy lets in nobody unknown")
    if policy and _keeps_strangers_out(policy):
        return ok("the resource policy denies everybody but those it names")
    open_ = [
        one["Method"] + (" (API key only)" if one["ApiKey"] else "")
        for one in api["Methods"]
        if one["Authorization"] == "NONE"
    ]
    if open_:
        more = f" and {len(open_) - 5} more" if len(open_) > 5 else ""
        return fail(f"no authorization on {', '.join(open_[:5])}{more}")
    return ok("authorization on every method") if api["Methods"] else not_applicable("no method to call")


def _by_stage(api: Resource, faults: dict[str, str], good: str) -> Verdict:
    """The verdict on all stages of an API, of which `faults` names those that are not as they should be."""
    if not api["Stages"]:
        return not_applicable("no stage is deployed")
    if faults:
        return fail("; ".join(f"stage {stage}: {fault}" for stage, fault in faults.items()))
    return ok(good)


@check(rest_apis, severity="medium")
def api_logs_requests(api: Resource) -> Verdict:
    """REST API logs its requests on every stage

    By access logs, or by execution logs at level INFO; level ERROR tells of failures only.

    Risk: nobody can say afterwards who called what, nor see an attack while it goes on.
    Fix: aws apigateway update-stage --rest-api-id ID --stage-name STAGE --patch-operations
        op=replace,path=/accessLogSettings/destinationArn,value=LOG_GROUP_ARN
    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_Stage.html
    Verified: 2026-11-25
    """
    silent = {}
    for stage in api["Stages"]:
        level = (stage.get("methodSettings") or {}).get("*/*", {}).get("loggingLevel", "OFF")
        if not (stage.get("accessLogSettings") or {}).get("destinationArn") and level != "INFO":
            silent[stage["stageName"]] = f"no access log, execution log {level}"
    return _by_stage(api, silent, "every stage logs its requests")


@check(rest_apis, severity="medium")
def api_keeps_bodies_out_of_logs(api: Resource) -> Verdict:
    """REST API does not write whole requests and answers to its logs

    Risk: personal data, passwords and tokens in bodies are copied to a log that more people can read.
    Fix: aws apigateway update-stage --rest-api-id ID --stage-name STAGE --patch-operations
        op=replace,path=/*/*/logging/dataTrace,value=false
    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_MethodSetting.html
    Verified: 2026-11-25
    """
    traced = {}
    for stage in api["Stages"]:
        paths = [
            path
            for path, setting in sorted((stage.get("methodSettings") or {}).items())
            if setting.get("dataTraceEnabled") and setting.get("loggingLevel", "OFF") != "OFF"
        ]
        if paths:
            traced[stage["stageName"]] = f"data trace on for {', '.join(paths)}"
    return _by_stage(api, traced, "data trace off on every stage")


@check(rest_apis, severity="medium")
def api_encrypts_cache(api: Resource) -> Verdict:
    """REST API encrypts the answers that it caches

    Risk: cached answers lie readable on the cache's storage.
    Fix: aws apigateway update-stage --rest-api-id ID --stage-name STAGE --patch-operations
        op=replace,path=/*/*/caching/dataEncrypted,value=true
    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_MethodSetting.html
    Verified: 2026-11-25
    """
    cached = [stage for stage in api["Stages"] if stage.get("cacheClusterEnabled")]
    if not cached:
        return not_applicable("no stage has a cache")
    plain = {}
    for stage in cached:
        # Without a setting for all methods, a cache holds the answers to GET, and holds them readable.
        settings = {"*/*": {"cachingEnabled": True}, **(stage.get("methodSettings") or {})}
        paths = [
            path
            for path, setting in sorted(settings.items())
            if setting.get("cachingEnabled") and not setting.get("cacheDataEncrypted")
        ]
        if paths:
            plain[stage["stageName"]] = f"cache not encrypted for {', '.join(paths)}"
    return _by_stage(api, plain, "every cache is encrypted")


@check(domain_names, severity="medium")
def domain_refuses_old_tls(domain: Resource) -> Verdict:
    """Custom domain name of an API offers no protocol older than TLS 1.2

    Risk: clients can be talked down to a protocol with known weaknesses.
    Fix: aws apigateway update-domain-name --domain-name {name} --patch-operations
        op=replace,path=/securityPolicy,value=TLS_1_2
    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_DomainName.html
    Verified: 2026-11-25
    """
    policy = domain["securityPolicy"]
    if not policy:
        return not_tested("API Gateway names no security policy")
    # The other policies are named for the oldest protocol they offer: SecurityPolicy_TLS13_1_2_...
    return (fail if policy == "TLS_1_0" else ok)(f"security policy {policy}")
