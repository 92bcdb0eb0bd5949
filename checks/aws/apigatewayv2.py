"""Amazon API Gateway, HTTP and WebSocket APIs: what is collected, and what is tested on them.

https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/api-reference.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)


@evidence(
    calls=["apigateway:GetApis", "apigateway:GetRoutes", "apigateway:GetStages"],
    permissions=["apigateway:GET"],
    per="region",
)
def apis(aws: Any) -> Iterator[Resource]:
    """Every HTTP and WebSocket API with its stages and who may call each of its routes."""
    client = aws.client("apigatewayv2")
    for api in aws.pages(client.get_apis, "Items"):
        name = api["ApiId"]
        stages = aws.all(client.get_stages, "Items", ApiId=name)
        routes = aws.all(client.get_routes, "Items", ApiId=name)
        yield resource(
            f"arn:aws:apigateway:{aws.region}::/apis/{name}",
            name=api["Name"],
            config={
                "ApiId": name,
                "Name": api["Name"],
                "ProtocolType": api["ProtocolType"],
                "Routes": _kept(routes, "RouteKey", "AuthorizationType"),
                "Stages": _kept(stages, "StageName", "AccessLogSettings"),
            },
        )


def _kept(listing: Any, *fields: str) -> Any:
    if isinstance(listing, NotCollected):
        return listing
    return [
        one if isinstance(one, NotCollected) else {key: one[key] for key in fields if key in one}
        for one in listing
    ]


@check(apis, severity="high")
def api_asks_who_calls(api: Resource) -> Verdict:
    """HTTP or WebSocket API asks who calls it

    On every route of an HTTP API, and on the route by which a WebSocket is opened, the only one that can
    ask. A client certificate asked for by a custom domain is not seen here. Where a route is meant for
    everybody, accept the failure by an exception.

    Risk: anyone on the internet can call the routes; the code behind them is all that stands in between.
    Fix: aws apigatewayv2 update-route --api-id ID --route-id ROUTE --authorization-type AWS_IAM
    Source: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html
    Verified: 2026-11-25
    """
    asked = [one for one in api["Routes"] if _is_asked(api["ProtocolType"], one["RouteKey"])]
    if not asked:
        return not_applicable("no route that can ask")
    # AuthorizationType is NONE where it is not said.
    open_ = sorted(one["RouteKey"] for one in asked if one.get("AuthorizationType", "NONE") == "NONE")
    if open_:
        more = f" and {len(open_) - 5} more" if len(open_) > 5 else ""
        return fail(f"no authorization on {', '.join(open_[:5])}{more}")
    return ok("authorization on every route that can ask")


def _is_asked(protocol: str, route: str) -> bool:
    return route == "$connect" if protocol == "WEBSOCKET" else not route.startswith("OPTIONS ")


@check(apis, severity="medium")
def api_logs_requests(api: Resource) -> Verdict:
    """HTTP or WebSocket API logs its requests on every stage

    Risk: nobody can say afterwards who called what, nor see an attack while it goes on.
    Fix: aws apigatewayv2 update-stage --api-id ID --stage-name STAGE --access-log-settings
        DestinationArn=LOG_GROUP_ARN,Format='$context.requestId ...'
    Source: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html
    Verified: 2026-11-25
    """
    if not api["Stages"]:
        return not_applicable("no stage is deployed")
    silent = sorted(
        stage["StageName"]
        for stage in api["Stages"]
        if not (stage.get("AccessLogSettings") or {}).get("DestinationArn")
    )
    return (
        fail(f"no access log on stage {', '.join(silent)}") if silent else ok("every stage logs its requests")
    )
