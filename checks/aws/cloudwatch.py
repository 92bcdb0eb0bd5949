"""Amazon CloudWatch: what is collected from alarms, and what is tested on them.

The larger part tests that changes which matter raise an alarm, as the CIS AWS Foundations Benchmark asks in
its section on monitoring: an active multi-Region trail delivers to a log group, a metric filter on it
matches the event, an alarm watches the metric, and somebody is subscribed to the topic it publishes to.
Filters are judged by what they match, not by how they are written: each must match an example of every event
that counts, and must not match the reading of a setting. A filter that leaves out certain principals is
taken for good.

The same can be had in ways that are not looked at here: EventBridge rules, CloudTrail Lake, log alarms, a
composite alarm above, another product that reads the trail. Where one of them is used, say so by an exception
with that evidence.

https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import floor
from typing import Any

from checks.aws._filter_pattern import matches
from checks.aws.sns import is_confirmed, subscriptions, topics
from collector.sdk import (
    NotCollected,
    Reason,
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

Event = Mapping[str, Any]

TRAIL = ("TrailARN", "Name", "HomeRegion", "IsOrganizationTrail", "CloudWatchLogsLogGroupArn")
ALARM = (
    "AlarmArn",
    "AlarmName",
    "AlarmRule",
    "ActionsEnabled",
    "AlarmActions",
    "Namespace",
    "MetricName",
    "Dimensions",
    "Metrics",
    "Statistic",
    "Period",
    "EvaluationPeriods",
    "ComparisonOperator",
    "Threshold",
    "TreatMissingData",
)
"""What is kept of an alarm; its state and the reasons for it change all day."""

_WHO = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:someone",
    "arn": "arn:aws:sts::111122223333:assumed-role/administrator/someone",
    "accountId": "111122223333",
    "sessionContext": {
        "sessionIssuer": {
            "type": "Role",
            "arn": "arn:aws:iam::111122223333:role/administrator",
            "userName": "administrator",
        },
        "attributes": {"mfaAuthenticated": "true"},
    },
}
_ROOT = {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"}
_USER = {
    "type": "IAMUser",
    "arn": "arn:aws:iam::111122223333:user/someone",
    "accountId": "111122223333",
    "userName": "someone",
}


def _call(source: str, name: str, **more: Any) -> Event:
    """An API call as CloudTrail records it.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    return {
        "eventVersion": "1.11",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2",
        "userIdentity": _WHO,
        "readOnly": False,
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        **more,
    }


def _calls(source: str, names: str) -> dict[str, Event]:
    return {name: _call(source, name) for name in names.split()}


def _sign_in(result: str, mfa: str, who: Mapping[str, Any], **more: Any) -> Event:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"""
    return _call(
        "signin",
        "ConsoleLogin",
        eventType="AwsConsoleSignIn",
        userIdentity=who,
        responseElements={"ConsoleLogin": result},
        additionalEventData={"MFAUsed": mfa, "MobileVersion": "No"},
        **more,
    )


QUIET = _call("ec2", "DescribeInstances", readOnly=True)
"""An event that should alarm nobody: a filter that matches it matches everything."""

UNAUTHORIZED_CALLS = {
    "UnauthorizedOperation": _call("ec2", "RunInstances", errorCode="Client.UnauthorizedOperation"),
    "AccessDenied": _call("iam", "ListUsers", readOnly=True, errorCode="AccessDenied"),
    "AccessDeniedException": _call("secretsmanager", "GetSecretValue", errorCode="AccessDeniedException"),
}
SIGN_IN_WITHOUT_MFA = {"a user's sign-in without MFA": _sign_in("Success", "No", _USER)}
SIGN_IN_FAILURE = {
    "a failed sign-in": _sign_in("Failure", "No", _USER, errorMessage="Failed authentication"),
}
ROOT_USE = {
    "a call by root": _call("iam", "CreateUser", userIdentity=_ROOT),
    "root's sign-in": _sign_in("Success", "Yes", _ROOT),
}
IAM_CHANGES = _calls(
    "iam",
    "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy "
    "CreatePolicy DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy "
    "AttachUserPolicy DetachUserPolicy AttachGroupPolicy DetachGroupPolicy",
)
TRAIL_CHANGES = _calls("cloudtrail", "CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging")
KEY_LOSS = _calls("kms", "DisableKey ScheduleKeyDeletion")
BUCKET_CHANGES = _calls(
    "s3",
    "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication DeleteBucketPolicy "
    "DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
)
CONFIG_CHANGES = _calls(
    "config",
    "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder",
)
SECURITY_GROUP_CHANGES = _calls(
    "ec2",
    "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress "
    "RevokeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup",
)
NETWORK_ACL_CHANGES = _calls(
    "ec2",
    "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry ReplaceNetworkAclEntry "
    "ReplaceNetworkAclAssociation",
)
GATEWAY_CHANGES = _calls(
    "ec2",
    "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway "
    "DeleteInternetGateway DetachInternetGateway",
)
ROUTE_CHANGES = _calls(
    "ec2",
    "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable DeleteRoute "
    "DisassociateRouteTable",
)
VPC_CHANGES = _calls(
    "ec2",
    "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection "
    "DeleteVpcPeeringConnection RejectVpcPeeringConnection",
)
"""Without the four of ClassicLink, which AWS has retired."""

ORGANIZATION_CHANGES = _calls(
    "organizations",
    "AcceptHandshake AttachPolicy CreateAccount CreateOrganizationalUnit CreatePolicy DeclineHandshake "
    "DeleteOrganization DeleteOrganizationalUnit DeletePolicy DetachPolicy DisablePolicyType "
    "EnablePolicyType InviteAccountToOrganization LeaveOrganization MoveAccount "
    "RemoveAccountFromOrganization UpdatePolicy UpdateOrganizationalUnit",
)


@evidence(calls=["cloudwatch:DescribeAlarms"], per="region")
def alarms(aws: Any) -> Iterator[Resource]:
    """Every metric alarm and composite alarm of the region, without its state."""
    describe = aws.client("cloudwatch").describe_alarms
    for kind in ("MetricAlarm", "CompositeAlarm"):
        for alarm in aws.pages(describe, f"{kind}s", AlarmTypes=[kind]):
            yield resource(alarm["AlarmArn"], name=alarm["AlarmName"], config=_settings(alarm))


@evidence(
    calls=[
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetTrailStatus",
        "cloudwatch:DescribeAlarms",
        "logs:DescribeMetricFilters",
        "organizations:DescribeOrganization",
        "sns:ListSubscriptionsByTopic",
    ],
    per="account",
)
def trail_alarms(aws: Any) -> Iterator[Resource]:
    """What of the account's multi-Region trails raises an alarm: one resource per account.

    A trail's log group is read in its own region. Of an organisation's trail it lies in another account,
    as a rule, where it cannot be read from here; such trails come last.
    """
    trails = aws.all(aws.client("cloudtrail").describe_trails, "trailList")
    if isinstance(trails, list):
        trails = [_trail(aws, one) for one in trails if one.get("IsMultiRegionTrail")]
        trails.sort(key=lambda trail: (isinstance(trail["Status"], NotCollected), trail["TrailARN"]))
    organization = aws.get(
        aws.client("organizations").describe_organization,
        "Organization",
        absent="AWSOrganizationsNotInUseException",
    )
    if isinstance(organization, dict):
        organization = organization["MasterAccountId"]
    yield resource(
        f"arn:aws:cloudwatch::{aws.account}:trail-alarms",
        name=aws.account,
        config={"Account": aws.account, "ManagementAccount": organization, "Trails": trails},
    )


def _trail(aws: Any, trail: dict[str, Any]) -> dict[str, Any]:
    """A trail with its status, its log group's metric filters and the alarms on their metrics."""
    kept = {key: trail[key] for key in TRAIL if key in trail}
    group = trail.get("CloudWatchLogsLogGroupArn", "")
    for arn in filter(None, (trail["TrailARN"], group)):
        if (owner := arn.split(":")[4]) != aws.account:
            elsewhere = NotCollected(
                Reason.NOT_OBSERVABLE, f"trail {trail['Name']} and its alarms lie in account {owner}"
            )
            return {**kept, "Status": elsewhere, "MetricFilters": elsewhere, "Alarms": elsewhere}
    status = aws.get(aws.client("cloudtrail").get_trail_status, Name=trail["TrailARN"])
    if isinstance(status, dict):
        status = {key: status.get(key) for key in ("IsLogging", "LatestCloudWatchLogsDeliveryError")}
    if not group:
        return {**kept, "Status": status, "MetricFilters": [], "Alarms": []}
    region = group.split(":")[3]
    describe = aws.client("logs", region).describe_metric_filters
    filters = aws.all(describe, "metricFilters", logGroupName=group.split(":")[6])
    metrics = {metric for one in as_list(filters) for metric in _metrics_of_filter(one)}
    return {**kept, "Status": status, "MetricFilters": filters, "Alarms": _alarms_on(aws, region, metrics)}


def _alarms_on(aws: Any, region: str, metrics: set[tuple[str, str]]) -> Any:
    """The alarms on any of the metrics, each with the subscriptions to its topics."""
    describe = aws.client("cloudwatch", region).describe_alarms
    found = aws.once(f"alarms {region}", lambda: aws.all(describe, "MetricAlarms"))
    if not isinstance(found, list):
        return found
    return [
        alarm if isinstance(alarm, NotCollected) else {**_settings(alarm), "Subscriptions": _told(aws, alarm)}
        for alarm in found
        if isinstance(alarm, NotCollected) or metrics & _metrics_of_alarm(alarm)
    ]


def _told(aws: Any, alarm: Mapping[str, Any]) -> dict[str, Any]:
    """The subscriptions to each topic that an alarm publishes to."""
    return {
        action: aws.once(f"subscriptions {action}", lambda topic=action: subscriptions(aws, topic))
        for action in alarm.get("AlarmActions", [])
        if ":sns:" in action
    }


def _settings(alarm: Mapping[str, Any]) -> dict[str, Any]:
    return {key: alarm[key] for key in ALARM if key in alarm}


def _metrics_of_filter(metric_filter: Any) -> set[tuple[str, str]]:
    if isinstance(metric_filter, NotCollected):
        return set()
    return {(one["metricNamespace"], one["metricName"]) for one in metric_filter["metricTransformations"]}


def _metrics_of_alarm(alarm: Mapping[str, Any]) -> set[tuple[str, str]]:
    """An alarm's metric, or those of the expression it watches."""
    terms = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    return {(one["Namespace"], one["MetricName"]) for one in (alarm, *terms) if "MetricName" in one}


def _fault(trail: Mapping[str, Any]) -> str:
    """Why a trail's events do not reach its log group; empty if they do."""
    status = trail["Status"]
    if not status["IsLogging"]:
        return f"trail {trail['Name']} is not logging"
    if not trail.get("CloudWatchLogsLogGroupArn"):
        return f"trail {trail['Name']} delivers to no log group"
    if error := status["LatestCloudWatchLogsDeliveryError"]:
        return f"trail {trail['Name']} fails to deliver to its log group: {error}"
    return ""


def _flaw(alarm: Mapping[str, Any], max_threshold: float) -> str:
    """Why an alarm tells nobody of an event; empty if it does."""
    name = alarm["AlarmName"]
    if not alarm["ActionsEnabled"]:
        return f"alarm {name} has its actions off"
    if "GreaterThan" not in alarm["ComparisonOperator"]:
        return f"alarm {name} does not fire when events come ({alarm['ComparisonOperator']})"
    least = alarm.get("Threshold", 0)
    if alarm["ComparisonOperator"] == "GreaterThanThreshold":
        least = floor(least) + 1
    if least > max_threshold:
        return f"alarm {name} waits for {least:g} events"
    if any(":ssm-incidents:" in action for action in alarm.get("AlarmActions", [])):
        return ""
    if any(is_confirmed(one) for told in alarm["Subscriptions"].values() for one in told):
        return ""
    return f"alarm {name} tells nobody: no confirmed subscription"


def _raises_alarm(account: Resource, events: Mapping[str, Event], max_threshold: float) -> Verdict:
    """Whether every event is matched by a metric filter whose alarm tells somebody."""
    left = dict(events)
    told: list[str] = []
    faults: list[str] = []
    unread: list[str] = []
    if not account["Trails"]:
        return fail("no multi-Region trail")
    for trail in account["Trails"]:
        if fault := _fault(trail):
            faults.append(fault)
            continue
        for one in trail["MetricFilters"]:
            name, pattern = one["filterName"], one.get("filterPattern", "")
            if (loud := matches(pattern, QUIET)) is None:
                unread.append(name)
            caught = [label for label, event in left.items() if matches(pattern, event)]
            if loud or not caught:
                continue
            watching = [a for a in trail["Alarms"] if _metrics_of_alarm(a) & _metrics_of_filter(one)]
            flaws = {alarm["AlarmName"]: _flaw(alarm, max_threshold) for alarm in watching}
            if good := next((alarm for alarm, flaw in flaws.items() if not flaw), None):
                told.append(f"metric filter {name}, alarm {good}")
                left = {label: event for label, event in left.items() if label not in caught}
            else:
                faults.extend(flaws.values() or [f"metric filter {name} has no alarm"])
        if not left:
            return ok("; ".join(told))
    if unread:
        return not_tested(f"cannot read the pattern of metric filter {', '.join(unread)}")
    why = f" ({'; '.join(faults)})" if faults else ""
    return fail(f"no alarm on {', '.join(left)}{why}")


@check(alarms, alarms, topics, severity="medium")
def alarm_reaches_somebody(alarm: Resource, *, alarms: list[Resource], topics: list[Resource]) -> Verdict:
    """CloudWatch alarm has somebody or something act on it

    An action other than a topic counts, and so does a composite alarm that watches this one.

    Risk: the alarm goes off and nobody knows.
    Fix: aws cloudwatch put-metric-alarm --alarm-name {name} --alarm-actions TOPIC ... with a topic that has a
        confirmed subscription
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
    Verified: 2026-11-25
    """
    actions = alarm.get("AlarmActions") or []
    if not actions:
        named = re.compile(rf'[(":]{re.escape(alarm.name)}[)"]')
        if above := next((one.name for one in alarms if named.search(one.get("AlarmRule", ""))), None):
            return ok(f"watched by composite alarm {above}")
        return fail("no action when it goes off")
    if not alarm["ActionsEnabled"]:
        return fail("actions are switched off")
    if others := [action for action in actions if ":sns:" not in action]:
        return ok(f"acts by {', '.join(others)}")
    account = alarm.key.split(":")[4]
    if foreign := [action for action in actions if action.split(":")[4] != account]:
        return not_tested(f"cannot see who is subscribed to {', '.join(foreign)} in another account")
    for topic in topics:
        if topic.key in actions and any(is_confirmed(one) for one in topic["Subscriptions"]):
            return ok(f"tells the subscribers of {topic.key}")
    return fail(f"no confirmed subscription to {', '.join(actions)}")


@check(trail_alarms, severity="medium")
def trail_feeds_log_group(account: Resource) -> Verdict:
    """A multi-Region trail delivers to CloudWatch Logs

    Risk: CloudTrail's records lie in a bucket, and nothing that happens raises an alarm.
    Fix: aws cloudtrail update-trail --name TRAIL --cloud-watch-logs-log-group-arn ARN
        --cloud-watch-logs-role-arn ARN
    Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
    Verified: 2026-11-25
    """
    faults = []
    for trail in account["Trails"]:
        if not (fault := _fault(trail)):
            return ok(f"trail {trail['Name']} delivers to {trail['CloudWatchLogsLogGroupArn']}")
        faults.append(fault)
    return fail("; ".join(faults) or "no multi-Region trail")


@check(trail_alarms, severity="medium")
def alarm_on_unauthorized_calls(account: Resource, *, max_threshold: float = 10) -> Verdict:
    """Refused API calls raise an alarm

    Risk: somebody who tries out what stolen credentials allow is not noticed.
    Fix: put a metric filter on the trail's log group that matches errorCode =
        "*UnauthorizedOperation" or "AccessDenied*", an alarm on its metric, and a topic with a
        confirmed subscription on the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-2
    Verified: 2026-11-25
    """
    return _raises_alarm(account, UNAUTHORIZED_CALLS, max_threshold)


@check(trail_alarms, severity="medium")
def alarm_on_sign_in_without_mfa(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Console sign-in without MFA raises an alarm

    Risk: an account entered with a password alone is not noticed.
    Fix: put a metric filter on the trail's log group that matches eventName = "ConsoleLogin",
        additionalEventData.MFAUsed != "Yes" and responseElements.ConsoleLogin = "Success", an alarm
        on its metric, and a topic with a confirmed subscription on the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-3
    Verified: 2026-11-25
    """
    return _raises_alarm(account, SIGN_IN_WITHOUT_MFA, max_threshold)


@check(trail_alarms, severity="high")
def alarm_on_root_use(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Use of the root user raises an alarm

    Risk: the one identity that no policy limits is used, and nobody asks why.
    Fix: put a metric filter on the trail's log group that matches userIdentity.type = "Root",
        invokedBy NOT EXISTS and eventType != "AwsServiceEvent", an alarm on its metric, and a topic
        with a confirmed subscription on the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-1
    Verified: 2026-11-25
    """
    return _raises_alarm(account, ROOT_USE, max_threshold)


@check(trail_alarms, severity="medium")
def alarm_on_iam_policy_changes(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Changes to IAM policies raise an alarm

    Risk: somebody gives themselves more rights, and nobody sees it.
    Fix: put a metric filter on the trail's log group that matches the eventName of each call that
        changes an IAM policy, an alarm on its metric, and a topic with a confirmed subscription on
        the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-4
    Verified: 2026-11-25
    """
    return _raises_alarm(account, IAM_CHANGES, max_threshold)


@check(trail_alarms, severity="high")
def alarm_on_cloudtrail_changes(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Changes to CloudTrail raise an alarm

    Risk: the record of everything is switched off first, and nobody notices.
    Fix: put a metric filter on the trail's log group that matches the eventName of each call that
        changes a trail, an alarm on its metric, and a topic with a confirmed subscription on the
        alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-5
    Verified: 2026-11-25
    """
    return _raises_alarm(account, TRAIL_CHANGES, max_threshold)


@check(trail_alarms, severity="medium")
def alarm_on_sign_in_failures(account: Resource, *, max_threshold: float = 10) -> Verdict:
    """Failed console sign-ins raise an alarm

    Risk: passwords are tried out, and nobody notices.
    Fix: put a metric filter on the trail's log group that matches eventName = "ConsoleLogin" and
        errorMessage = "Failed authentication", an alarm on its metric, and a topic with a confirmed
        subscription on the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-6
    Verified: 2026-11-25
    """
    return _raises_alarm(account, SIGN_IN_FAILURE, max_threshold)


@check(trail_alarms, severity="medium")
def alarm_on_key_loss(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Disabling or deleting a KMS key raises an alarm

    Risk: data goes with its key, and by the time it is noticed the key cannot be had back.
    Fix: put a metric filter on the trail's log group that matches eventSource = "kms.amazonaws.com"
        and eventName = DisableKey or ScheduleKeyDeletion, an alarm on its metric, and a topic with
        a confirmed subscription on the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-7
    Verified: 2026-11-25
    """
    return _raises_alarm(account, KEY_LOSS, max_threshold)


@check(trail_alarms, severity="medium")
def alarm_on_bucket_policy_changes(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Changes to S3 bucket policies raise an alarm

    Risk: a bucket is opened to the world, and nobody notices.
    Fix: put a metric filter on the trail's log group that matches the eventName of each call that
        changes a bucket's policy, ACL, CORS, lifecycle or replication, an alarm on its metric, and
        a topic with a confirmed subscription on the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-8
    Verified: 2026-11-25
    """
    return _raises_alarm(account, BUCKET_CHANGES, max_threshold)


@check(trail_alarms, severity="medium")
def alarm_on_config_changes(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Changes to AWS Config raise an alarm

    Risk: the recording of configurations is switched off, and nobody notices.
    Fix: put a metric filter on the trail's log group that matches the eventName of each call that
        changes the recorder or the delivery channel, an alarm on its metric, and a topic with a
        confirmed subscription on the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-9
    Verified: 2026-11-25
    """
    return _raises_alarm(account, CONFIG_CHANGES, max_threshold)


@check(trail_alarms, severity="low")
def alarm_on_security_group_changes(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Changes to security groups raise an alarm

    Risk: a port is opened to the internet, and nobody notices.
    Fix: put a metric filter on the trail's log group that matches the eventName of each call that
        changes a security group, an alarm on its metric, and a topic with a confirmed subscription
        on the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-10
    Verified: 2026-11-25
    """
    return _raises_alarm(account, SECURITY_GROUP_CHANGES, max_threshold)


@check(trail_alarms, severity="low")
def alarm_on_network_acl_changes(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Changes to network ACLs raise an alarm

    Risk: a subnet is opened, and nobody notices.
    Fix: put a metric filter on the trail's log group that matches the eventName of each call that
        changes a network ACL, an alarm on its metric, and a topic with a confirmed subscription on
        the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-11
    Verified: 2026-11-25
    """
    return _raises_alarm(account, NETWORK_ACL_CHANGES, max_threshold)


@check(trail_alarms, severity="low")
def alarm_on_gateway_changes(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Changes to network gateways raise an alarm

    Risk: a private network is given a way out, and nobody notices.
    Fix: put a metric filter on the trail's log group that matches the eventName of each call that
        changes a gateway, an alarm on its metric, and a topic with a confirmed subscription on the
        alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-12
    Verified: 2026-11-25
    """
    return _raises_alarm(account, GATEWAY_CHANGES, max_threshold)


@check(trail_alarms, severity="low")
def alarm_on_route_changes(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Changes to route tables raise an alarm

    Risk: traffic is led another way, and nobody notices.
    Fix: put a metric filter on the trail's log group that matches the eventName of each call that
        changes a route or route table, an alarm on its metric, and a topic with a confirmed
        subscription on the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-13
    Verified: 2026-11-25
    """
    return _raises_alarm(account, ROUTE_CHANGES, max_threshold)


@check(trail_alarms, severity="low")
def alarm_on_vpc_changes(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Changes to VPCs raise an alarm

    Risk: networks are joined that were kept apart, and nobody notices.
    Fix: put a metric filter on the trail's log group that matches the eventName of each call that
        changes a VPC or a peering, an alarm on its metric, and a topic with a confirmed
        subscription on the alarm.
    Source: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-14
    Verified: 2026-11-25
    """
    return _raises_alarm(account, VPC_CHANGES, max_threshold)


@check(trail_alarms, severity="medium")
def alarm_on_organization_changes(account: Resource, *, max_threshold: float = 1) -> Verdict:
    """Changes to the organisation raise an alarm

    AWS records them in the management account, so other accounts need no such alarm.

    Risk: an account leaves or a policy that limits all accounts is taken away, and nobody notices.
    Fix: in the management account put a metric filter on the trail's log group that matches the eventName of
        each call that changes the organisation, an alarm on its metric, and a topic with a confirmed
        subscription on the alarm.
    Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html
    Verified: 2026-11-25
    """
    management = account["ManagementAccount"]
    if management is None:
        return not_applicable("the account is in no organisation")
    if management != account["Account"]:
        return not_applicable(f"recorded in the organisation's management account, {management}")
    return _raises_alarm(account, ORGANIZATION_CHANGES, max_threshold)
