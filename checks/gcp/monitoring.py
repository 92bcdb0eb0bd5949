"""Cloud Monitoring: alert policies, whom they tell, and what in the audit log raises an alarm.

https://cloud.google.com/monitoring/api/ref_v3/rest
https://cloud.google.com/logging/docs/logs-based-metrics
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from checks.gcp._log_filter import matches
from checks.gcp._names import short, told, without
from checks.gcp.projects import projects
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, not_tested, ok, resource

Event = Mapping[str, Any]

COMPUTE = "compute.googleapis.com"
CLOUD_SQL = "sqladmin.googleapis.com"


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def log_metrics(gcp: Any) -> Iterator[Resource]:
    """Every metric that counts log entries.

    https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.metrics
    """
    for asset in gcp.assets("logging.googleapis.com/LogMetric"):
        yield resource(asset["name"], config=without(asset["resource"]["data"]))


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def alert_policies(gcp: Any) -> Iterator[Resource]:
    """Every alert policy, with its conditions and the channels it tells.

    https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies
    """
    for asset in gcp.assets("monitoring.googleapis.com/AlertPolicy"):
        data = asset["resource"]["data"]
        yield resource(
            asset["name"], name=data.get("displayName", ""), config=without(data, "mutationRecord")
        )


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def channels(gcp: Any) -> Iterator[Resource]:
    """Every notification channel: its kind and whether it is on. Of its address only an e-mail's is kept.

    https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.notificationChannels
    """
    for asset in gcp.assets("monitoring.googleapis.com/NotificationChannel"):
        data = asset["resource"]["data"]
        email = (data.get("labels") or {}).get("email_address")
        yield resource(
            asset["name"],
            name=data.get("displayName", ""),
            config={**without(data, "labels", "mutationRecords"), "emailAddress": email},
        )


# Alert policies and channels


def _fault_of_channel(channel: Resource) -> str:
    if channel.get("enabled") is not True:  # always told, as the API's documentation has it
        return f"channel {channel.name} is off"
    if channel.get("verificationStatus") == "UNVERIFIED":
        return f"channel {channel.name} is not verified"
    return ""


def _fault_of_policy(policy: Resource, channels: list[Resource]) -> str:
    """Why an alert policy tells nobody; "" if it tells somebody."""
    if policy.get("enabled") is not True:
        return f"alert policy {policy.name} is off"
    if policy.get("validity"):
        return f"alert policy {policy.name} is invalid"
    told_of = {short(one) for one in policy.get("notificationChannels") or ()}
    if not told_of:
        return f"alert policy {policy.name} has no notification channel"
    faults = []
    for channel in channels:
        if short(channel["name"]) in told_of:
            if not (fault := _fault_of_channel(channel)):
                return ""
            faults.append(fault)
    return told(faults) or f"the channels of alert policy {policy.name} are not there"


@check(alert_policies, channels, severity="medium")
def alert_reaches_somebody(policy: Resource, *, channels: list[Resource]) -> Verdict:
    """Alert policy is on and tells somebody

    Risk: the alarm goes off and nobody knows.
    Fix: gcloud monitoring policies update POLICY --enabled --add-notification-channels=CHANNEL
    Source: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies
    Verified: 2026-11-25
    """
    fault = _fault_of_policy(policy, channels)
    if fault:
        return fail(fault)
    wanted = {short(one) for one in policy["notificationChannels"]}
    return ok(f"on, tells {told(one.name for one in channels if short(one['name']) in wanted)}")


@check(channels, severity="low")
def channel_is_on(channel: Resource) -> Verdict:
    """Notification channel is on and, where it needs to be, verified

    Risk: whoever counts on this channel is not told.
    Fix: gcloud beta monitoring channels update CHANNEL --enabled, and verify it in the console under
        Alerting.
    Source: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.notificationChannels
    Verified: 2026-11-25
    """
    fault = _fault_of_channel(channel)
    return fail(fault) if fault else ok(f"{channel['type']}, on")


@check(projects, alert_policies, channels, severity="low")
def project_has_alerts(
    project: Resource, *, alert_policies: list[Resource], channels: list[Resource]
) -> Verdict:
    """Project has at least one alert policy that tells somebody

    Risk: trouble in the project is noticed by its customers first.
    Fix: gcloud monitoring policies create --policy-from-file=FILE
    Source: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies
    Verified: 2026-11-25
    """
    faults = []
    for policy in alert_policies:
        if not (fault := _fault_of_policy(policy, channels)):
            return ok(f"alert policy {policy.name}")
        faults.append(fault)
    return fail(told(faults) or "no alert policy")


# What in the audit log raises an alarm


def _event(method: str, kind: str, service: str, **payload: Any) -> Event:
    """A log entry of admin activity, as Google writes it for one that succeeded.

    https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog
    """
    return {
        "logName": "projects/shop/logs/cloudaudit.googleapis.com%2Factivity",
        "severity": "NOTICE",
        "resource": {"type": kind},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": f"{service}.googleapis.com",
            "methodName": method,
            **payload,
        },
    }


def _policy_change(**delta: Any) -> Event:
    return _event("SetIamPolicy", "project", "cloudresourcemanager", serviceData={"policyDelta": delta})


def _compute(kind: str, what: str, *actions: str) -> dict[str, Event]:
    return {f"{what}.{one}": _event(f"v1.compute.{what}.{one}", kind, "compute") for one in actions}


QUIET = _event("v1.compute.instances.setLabels", "gce_instance", "compute")
"""What nobody wants an alarm on: a filter that matches it counts everything."""

OWNERSHIP = {
    f"{action.lower()} of roles/owner": _policy_change(
        bindingDeltas=[{"action": action, "role": "roles/owner", "member": "user:ada@acme.example"}]
    )
    for action in ("ADD", "REMOVE")
}
AUDIT_CONFIG = {
    "change of audit configuration": _policy_change(
        auditConfigDeltas=[{"action": "REMOVE", "service": "allServices", "logType": "DATA_READ"}]
    )
}
CUSTOM_ROLE = {
    one: _event(f"google.iam.admin.v1.{one}", "iam_role", "iam")
    for one in ("CreateRole", "DeleteRole", "UpdateRole")
}
FIREWALL = _compute("gce_firewall_rule", "firewalls", "insert", "patch", "delete")
ROUTE = _compute("gce_route", "routes", "insert", "delete")
NETWORK = _compute("gce_network", "networks", "insert", "patch", "delete", "addPeering", "removePeering")
BUCKET_POLICY = {"storage.setIamPermissions": _event("storage.setIamPermissions", "gcs_bucket", "storage")}
SQL = {"cloudsql.instances.update": _event("cloudsql.instances.update", "cloudsql_database", "cloudsql")}
SINK = {
    one: _event(f"google.logging.v2.ConfigServiceV2.{one}", "logging_sink", "logging")
    for one in ("UpdateSink", "DeleteSink")
}
ACCOUNT_KEY = {
    "CreateServiceAccountKey": _event("google.iam.admin.v1.CreateServiceAccountKey", "service_account", "iam")
}


def _watches(condition: Mapping[str, Any], metric: str, max_threshold: float) -> bool:
    """Whether a condition goes off on the first entry that the metric counts.

    Only "greater than" and "less than" exist; a query in a language of its own is taken at its word.
    """
    name = f"logging.googleapis.com/user/{metric}"
    threshold = condition.get("conditionThreshold")
    if threshold and re.search(rf'metric\.type\s*=\s*"{re.escape(name)}"', threshold.get("filter", "")):
        above = threshold.get("comparison") == "COMPARISON_GT"
        return above and float(threshold.get("thresholdValue") or 0) <= max_threshold
    text = (condition.get("conditionMonitoringQueryLanguage") or {}).get("query", "")
    if re.search(rf"{re.escape(name)}(?![\w/-])", text):
        return True
    text = (condition.get("conditionPrometheusQueryLanguage") or {}).get("query", "")
    plain = re.sub(r"\W", "_", metric)
    return bool(
        re.search(rf"(logging_googleapis_com:user_{re.escape(plain)}|{re.escape(name)})(?![\w/-])", text)
    )


def _alone(policy: Resource) -> bool:
    """Whether each condition opens an incident by itself."""
    return len(policy["conditions"]) == 1 or policy.get("combiner") == "OR"


def _raises_alarm(
    project: Resource,
    events: Mapping[str, Event],
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float,
    service: str = "",
) -> Verdict:
    """Whether each event is counted by a metric that an alert policy watches, or matched by one itself.

    Where the project's services are known and `service`, whose events these are, is off there are no events.
    """
    if service and project["services"] and service not in project["services"]:
        return not_applicable(f"{service} is off")
    left = dict(events)
    by: list[str] = []
    faults: list[str] = []
    unread: list[str] = []

    def caught(what: str, text: str) -> list[str]:
        if (loud := matches(text, QUIET)) is None:
            unread.append(what)
        return [] if loud else [name for name, event in left.items() if matches(text, event)]

    def settle(what: str, found: list[str], watching: list[Resource]) -> None:
        flaws = {policy.name: _fault_of_policy(policy, channels) for policy in watching}
        if good := next((name for name, flaw in flaws.items() if not flaw), None):
            by.append(f"{what}, alert policy {good}" if what else f"alert policy {good}")
            for name in found:
                left.pop(name, None)
        else:
            faults.extend(flaws.values() or [f"{what} has no alert policy that goes off on the first entry"])

    for policy in alert_policies:
        for condition in policy["conditions"]:
            text = (condition.get("conditionMatchedLog") or {}).get("filter")
            if text is not None and (found := caught(f"of alert policy {policy.name}", text)):
                settle("", found, [policy])
    for metric in log_metrics:
        name = metric["name"]
        found = caught(f"of metric {name}", metric["filter"]) if left else []
        if found and metric.get("disabled"):
            faults.append(f"metric {name} is off")
        elif found:
            watching = [
                policy
                for policy in alert_policies
                if _alone(policy) and any(_watches(one, name, max_threshold) for one in policy["conditions"])
            ]
            settle(f"metric {name}", found, watching)
    if not left:
        return ok(told(by))
    if unread:
        return not_tested(f"cannot read the filter {told(unread)}")
    why = f" ({told(faults)})" if faults else ""
    return fail(f"no alarm on {', '.join(left)}{why}")


@check(projects, log_metrics, alert_policies, channels, severity="high")
def alarm_on_ownership_changes(
    project: Resource,
    *,
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float = 0,
) -> Verdict:
    """Giving or taking ownership of the project raises an alarm

    By a metric of log entries, or an alert on the entries themselves, in the project.

    Risk: somebody makes themselves owner, and nobody sees it.
    Fix: gcloud logging metrics create NAME
        --log-filter='protoPayload.serviceData.policyDelta.bindingDeltas.role="roles/owner"', then an alert
        policy on logging.googleapis.com/user/NAME above 0, with a notification channel.
    Source: https://cloud.google.com/logging/docs/alerting/log-based-alerts
    Verified: 2026-11-25, methods and resource types, by published copies of the CIS benchmark's filters.
    """
    return _raises_alarm(project, OWNERSHIP, log_metrics, alert_policies, channels, max_threshold)


@check(projects, log_metrics, alert_policies, channels, severity="medium")
def alarm_on_audit_config_changes(
    project: Resource,
    *,
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float = 0,
) -> Verdict:
    """Changes to the audit configuration raise an alarm

    By a metric of log entries, or an alert on the entries themselves, in the project.

    Risk: the record of who reads what is switched off first, and nobody notices.
    Fix: gcloud logging metrics create NAME --log-filter='protoPayload.methodName="SetIamPolicy" AND
        protoPayload.serviceData.policyDelta.auditConfigDeltas:*', then an alert policy on
        logging.googleapis.com/user/NAME above 0, with a notification channel.
    Source: https://cloud.google.com/logging/docs/alerting/log-based-alerts
    Verified: 2026-11-25, methods and resource types, by published copies of the CIS benchmark's filters.
    """
    return _raises_alarm(project, AUDIT_CONFIG, log_metrics, alert_policies, channels, max_threshold)


@check(projects, log_metrics, alert_policies, channels, severity="medium")
def alarm_on_custom_role_changes(
    project: Resource,
    *,
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float = 0,
) -> Verdict:
    """Changes to custom roles raise an alarm

    By a metric of log entries, or an alert on the entries themselves, in the project.

    Risk: a role that many hold is given more rights, and nobody sees it.
    Fix: gcloud logging metrics create NAME --log-filter='resource.type="iam_role" AND
        protoPayload.methodName=~"(Create|Delete|Update)Role$"', then an alert policy on
        logging.googleapis.com/user/NAME above 0, with a notification channel.
    Source: https://cloud.google.com/logging/docs/alerting/log-based-alerts
    Verified: 2026-11-25, methods and resource types, by published copies of the CIS benchmark's filters.
    """
    return _raises_alarm(project, CUSTOM_ROLE, log_metrics, alert_policies, channels, max_threshold)


@check(projects, log_metrics, alert_policies, channels, severity="medium")
def alarm_on_firewall_changes(
    project: Resource,
    *,
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float = 0,
) -> Verdict:
    """Changes to firewall rules raise an alarm

    By a metric of log entries, or an alert on the entries themselves, in the project.

    Risk: a port is opened to the internet, and nobody notices.
    Fix: gcloud logging metrics create NAME --log-filter='resource.type="gce_firewall_rule" AND
        protoPayload.methodName:("insert" OR "patch" OR "delete")', then an alert policy on
        logging.googleapis.com/user/NAME above 0, with a notification channel.
    Source: https://cloud.google.com/logging/docs/alerting/log-based-alerts
    Verified: 2026-11-25, methods and resource types, by published copies of the CIS benchmark's filters.
    """
    return _raises_alarm(project, FIREWALL, log_metrics, alert_policies, channels, max_threshold, COMPUTE)


@check(projects, log_metrics, alert_policies, channels, severity="low")
def alarm_on_route_changes(
    project: Resource,
    *,
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float = 0,
) -> Verdict:
    """Changes to routes raise an alarm

    By a metric of log entries, or an alert on the entries themselves, in the project.

    Risk: traffic is led another way, and nobody notices.
    Fix: gcloud logging metrics create NAME --log-filter='resource.type="gce_route" AND
        protoPayload.methodName:("insert" OR "delete")', then an alert policy on
        logging.googleapis.com/user/NAME above 0, with a notification channel.
    Source: https://cloud.google.com/logging/docs/alerting/log-based-alerts
    Verified: 2026-11-25, methods and resource types, by published copies of the CIS benchmark's filters.
    """
    return _raises_alarm(project, ROUTE, log_metrics, alert_policies, channels, max_threshold, COMPUTE)


@check(projects, log_metrics, alert_policies, channels, severity="low")
def alarm_on_network_changes(
    project: Resource,
    *,
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float = 0,
) -> Verdict:
    """Changes to networks raise an alarm

    By a metric of log entries, or an alert on the entries themselves, in the project.

    Risk: networks are joined that were kept apart, and nobody notices.
    Fix: gcloud logging metrics create NAME --log-filter='resource.type="gce_network" AND
        protoPayload.methodName:"compute.networks."', then an alert policy on
        logging.googleapis.com/user/NAME above 0, with a notification channel.
    Source: https://cloud.google.com/logging/docs/alerting/log-based-alerts
    Verified: 2026-11-25, methods and resource types, by published copies of the CIS benchmark's filters.
    """
    return _raises_alarm(project, NETWORK, log_metrics, alert_policies, channels, max_threshold, COMPUTE)


@check(projects, log_metrics, alert_policies, channels, severity="medium")
def alarm_on_bucket_policy_changes(
    project: Resource,
    *,
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float = 0,
) -> Verdict:
    """Changes to who may read buckets raise an alarm

    By a metric of log entries, or an alert on the entries themselves, in the project.

    Risk: a bucket is opened to the world, and nobody notices.
    Fix: gcloud logging metrics create NAME --log-filter='resource.type="gcs_bucket" AND
        protoPayload.methodName="storage.setIamPermissions"', then an alert policy on
        logging.googleapis.com/user/NAME above 0, with a notification channel.
    Source: https://cloud.google.com/logging/docs/alerting/log-based-alerts
    Verified: 2026-11-25, methods and resource types, by published copies of the CIS benchmark's filters.
    """
    return _raises_alarm(project, BUCKET_POLICY, log_metrics, alert_policies, channels, max_threshold)


@check(projects, log_metrics, alert_policies, channels, severity="medium")
def alarm_on_sql_changes(
    project: Resource,
    *,
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float = 0,
) -> Verdict:
    """Changes to Cloud SQL instances raise an alarm

    By a metric of log entries, or an alert on the entries themselves, in the project.

    Risk: a database is opened or loses its backups, and nobody notices.
    Fix: gcloud logging metrics create NAME
        --log-filter='protoPayload.methodName="cloudsql.instances.update"', then an alert policy on
        logging.googleapis.com/user/NAME above 0, with a notification channel.
    Source: https://cloud.google.com/logging/docs/alerting/log-based-alerts
    Verified: 2026-11-25, method and resource type, by published copies of the CIS benchmark's filters.
    """
    return _raises_alarm(project, SQL, log_metrics, alert_policies, channels, max_threshold, CLOUD_SQL)


@check(projects, log_metrics, alert_policies, channels, severity="medium")
def alarm_on_sink_changes(
    project: Resource,
    *,
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float = 0,
) -> Verdict:
    """Changes to log sinks raise an alarm

    By a metric of log entries, or an alert on the entries themselves, in the project.

    Risk: logs stop leaving the project, and nobody notices.
    Fix: gcloud logging metrics create NAME --log-filter='resource.type="logging_sink" AND
        protoPayload.methodName=~"(Update|Delete)Sink$"', then an alert policy on
        logging.googleapis.com/user/NAME above 0, with a notification channel.
    Source: https://cloud.google.com/logging/docs/alerting/log-based-alerts
    Verified: 2026-11-25, methods and resource type, by published filters and samples of log entries.
    """
    return _raises_alarm(project, SINK, log_metrics, alert_policies, channels, max_threshold)


@check(projects, log_metrics, alert_policies, channels, severity="low")
def alarm_on_service_account_keys(
    project: Resource,
    *,
    log_metrics: list[Resource],
    alert_policies: list[Resource],
    channels: list[Resource],
    max_threshold: float = 0,
) -> Verdict:
    """A new service account key raises an alarm

    By a metric of log entries, or an alert on the entries themselves, in the project.

    Risk: somebody makes a key to come back with, and nobody sees it.
    Fix: gcloud logging metrics create NAME
        --log-filter='protoPayload.methodName="google.iam.admin.v1.CreateServiceAccountKey"', then an alert
        policy on logging.googleapis.com/user/NAME above 0, with a notification channel.
    Source: https://cloud.google.com/logging/docs/alerting/log-based-alerts
    Verified: 2026-11-25, method and resource type, by published filters and samples of log entries.
    """
    return _raises_alarm(project, ACCOUNT_KEY, log_metrics, alert_policies, channels, max_threshold)
