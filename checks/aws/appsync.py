"""AWS AppSync: its GraphQL APIs, and what is tested on them.

https://docs.aws.amazon.com/appsync/latest/APIReference/API_ListGraphqlApis.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource


@evidence(calls=["appsync:ListGraphqlApis"], per="region")
def apis(aws: Any) -> Iterator[Resource]:
    """Every GraphQL API with its logging and the ways in which it lets callers in."""
    for api in aws.pages(aws.client("appsync").list_graphql_apis, "graphqlApis"):
        yield resource(api["arn"], name=api["name"], config=api)


@check(apis, severity="medium")
def api_logs_fields(api: Resource) -> Verdict:
    """GraphQL API logs the fields that its requests resolve

    Risk: one endpoint serves every query, so without its fields nobody can say who read what.
    Fix: aws appsync update-graphql-api --api-id ID --name {name} --authentication-type TYPE --log-config
        fieldLogLevel=ERROR,cloudWatchLogsRoleArn=ROLE_ARN
    Source: https://docs.aws.amazon.com/appsync/latest/APIReference/API_LogConfig.html
    Verified: 2026-11-25
    """
    config = api.get("logConfig")
    if not config:
        return fail("no logging configured")
    level = config["fieldLogLevel"]
    return (fail if level == "NONE" else ok)(f"field log level {level}")


@check(apis, severity="high")
def api_asks_who_calls(api: Resource) -> Verdict:
    """GraphQL API on the internet asks who calls it

    An API key is one secret that all callers share, and is often part of a public page. Whether single
    fields are closed to it by a directive in the schema is not seen.

    Risk: whoever finds the key can send any query that the schema does not close to it.
    Fix: aws appsync update-graphql-api --api-id ID --name {name} --authentication-type AWS_IAM, or a user
        pool; then aws appsync delete-api-key --api-id ID --id KEY
    Source: https://docs.aws.amazon.com/appsync/latest/APIReference/API_GraphqlApi.html
    Verified: 2026-11-25
    """
    ways = [api["authenticationType"]] + [
        one["authenticationType"] for one in api.get("additionalAuthenticationProviders") or ()
    ]
    stated = f"lets in by {', '.join(sorted(set(ways)))}"
    if api.get("visibility", "GLOBAL") == "PRIVATE":
        return ok(f"{stated}, from the VPC only")
    return fail(stated) if "API_KEY" in ways else ok(stated)
