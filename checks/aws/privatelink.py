"""AWS PrivateLink: the private ways out of a VPC to services, the services offered so, and their tests.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpointServiceConfigurations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.aws._policy import principals, statements
from checks.aws.vpc import subnets, zones_of
from collector.sdk import (
    Resource,
    Verdict,
    as_list,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)

GONE = ("deleted", "deleting", "expired", "failed", "rejected")
"""The states of an endpoint that carries nothing, in small letters: AWS writes them either way."""
KEPT = (
    "PolicyDocument",
    "RequesterManaged",
    "ServiceName",
    "State",
    "SubnetIds",
    "VpcEndpointId",
    "VpcEndpointType",
    "VpcId",
)


@evidence(calls=["ec2:DescribeVpcEndpoints"], per="region")
def endpoints(aws: Any) -> Iterator[Resource]:
    """Every VPC endpoint, with its policy and the subnets that it stands in."""
    for one in aws.pages(aws.client("ec2").describe_vpc_endpoints, "VpcEndpoints"):
        name = one["VpcEndpointId"]
        yield resource(
            f"arn:aws:ec2:{aws.region}:{aws.account}:vpc-endpoint/{name}",
            config={key: one[key] for key in KEPT if key in one},
        )


@evidence(
    calls=["ec2:DescribeVpcEndpointServiceConfigurations", "ec2:DescribeVpcEndpointServicePermissions"],
    per="region",
)
def services(aws: Any) -> Iterator[Resource]:
    """Every service that the account offers by endpoints, and who may connect to it."""
    ec2 = aws.client("ec2")
    for one in aws.pages(ec2.describe_vpc_endpoint_service_configurations, "ServiceConfigurations"):
        name = one["ServiceId"]
        allowed = ec2.describe_vpc_endpoint_service_permissions
        yield resource(
            f"arn:aws:ec2:{aws.region}:{aws.account}:vpc-endpoint-service/{name}",
            config={
                "ServiceName": one["ServiceName"],
                "AcceptanceRequired": one["AcceptanceRequired"],
                "AllowedPrincipals": aws.all(allowed, "AllowedPrincipals", ServiceId=name),
            },
        )


def _gives_everything(statement: Mapping[str, Any]) -> bool:
    """Whether a statement lets everybody do everything with everything, as the policy that AWS puts there."""
    return (
        "*" in principals(statement)
        and "*" in as_list(statement.get("Resource"))
        and any(str(one) == "*" or str(one).endswith(":*") for one in as_list(statement.get("Action")))
        and not statement.get("Condition")
    )


@check(endpoints, severity="low")
def endpoint_policy_sets_limits(endpoint: Resource) -> Verdict:
    """VPC endpoint's policy says who may use it, for what, or for whose resources

    An endpoint that is made without a policy lets everybody in the network do everything with everybody's
    resources. What a narrower policy allows is not judged.

    Risk: data is carried out through the endpoint into a bucket or queue of a stranger's account.
    Fix: aws ec2 modify-vpc-endpoint --vpc-endpoint-id {name} --policy-document FILE, with conditions such as
        aws:PrincipalOrgID and aws:ResourceOrgID
    Source: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    Verified: 2026-11-25
    """
    if endpoint["State"].lower() in GONE:
        return not_applicable(f"the endpoint is {endpoint['State']}")
    if endpoint.get("RequesterManaged"):
        return not_applicable("managed by the service that made it")
    policy = endpoint.get("PolicyDocument")
    if not policy:
        return not_applicable(f"{endpoint['ServiceName']} takes no policy")
    wide = [one for one in statements(policy) if _gives_everything(one)]
    stated = f"endpoint of {endpoint['ServiceName']}"
    return fail(f"{stated}: everybody may do everything") if wide else ok(f"{stated}: limited by its policy")


@check(endpoints, subnets, severity="low")
def endpoint_spans_zones(endpoint: Resource, *, subnets: list[Resource], min_zones: int = 2) -> Verdict:
    """Interface endpoint stands in several availability zones

    Risk: when the zone fails, the service is out of reach from all the others.
    Fix: aws ec2 modify-vpc-endpoint --vpc-endpoint-id {name} --add-subnet-ids SUBNET
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
    Verified: 2026-11-25
    """
    if endpoint["State"].lower() in GONE:
        return not_applicable(f"the endpoint is {endpoint['State']}")
    if endpoint["VpcEndpointType"] != "Interface":
        return not_applicable(f"an endpoint of type {endpoint['VpcEndpointType']}")
    zones = zones_of(endpoint["SubnetIds"], subnets)
    stated = f"in {', '.join(zones) or 'no zone'}"
    return ok(stated) if len(zones) >= min_zones else fail(stated)


@check(services, severity="medium")
def service_names_its_clients(service: Resource) -> Verdict:
    """Endpoint service is open to named accounts, or somebody agrees to each connection

    Risk: anyone with an AWS account can connect to the service from a network of their own.
    Fix: aws ec2 modify-vpc-endpoint-service-permissions --service-id {name}
        --remove-allowed-principals '*' --add-allowed-principals ARN
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpointServicePermissions.html
    Verified: 2026-11-25
    """
    allowed = sorted(one["Principal"] for one in service["AllowedPrincipals"])
    if "*" not in allowed:
        return ok(f"open to {', '.join(allowed)}" if allowed else "open to its own account only")
    if service["AcceptanceRequired"]:
        return ok("everyone may ask, and each connection must be accepted")
    return fail("everyone may connect, and nobody needs to accept it")
