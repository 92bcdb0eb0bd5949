"""Cloud Run: services and jobs, who may call them, and what they run with.

Cloud Asset Inventory gives them as version 1 of the API has them, which is Knative's form; version 2 is
understood as well.

https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services
https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.gcp._environment import holds_no_known_secret, names_no_secret, redacted
from checks.gcp._members import is_default_account, public_grants
from checks.gcp._policies import bindings_of
from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource

ANNOTATION = "run.googleapis.com/"

INGRESS = {
    "all": "INGRESS_TRAFFIC_ALL",
    "internal": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
    "none": "INGRESS_TRAFFIC_NONE",
}
"""Version 1's words for version 2's. Without the annotation a service takes all traffic."""


@evidence(calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy"], per="project")
def services(gcp: Any) -> Iterator[Resource]:
    """Every service: ingress, identity, environment (redacted) and who may call it."""
    bindings = bindings_of(gcp, "run.googleapis.com/Service")
    for asset in gcp.assets("run.googleapis.com/Service"):
        data = asset["resource"]["data"]
        settings = _version_1(data) if "spec" in data else _version_2(data)
        containers = settings.pop("containers")
        yield resource(
            asset["name"],
            config={
                **settings,
                "images": [one.get("image") for one in containers],
                "environment": _environment(containers, gcp.redact),
                "iamBindings": bindings(asset["name"]),
            },
        )


def _version_1(data: Mapping[str, Any]) -> dict[str, Any]:
    annotations = data["metadata"].get("annotations") or {}
    template = data["spec"]["template"].get("spec") or {}
    said = annotations.get(f"{ANNOTATION}ingress", "all")
    return {
        "ingress": INGRESS.get(said, said),
        "invokerIamDisabled": annotations.get(f"{ANNOTATION}invoker-iam-disabled") == "true",
        "iapEnabled": annotations.get(f"{ANNOTATION}iap-enabled") == "true",
        "serviceAccount": template.get("serviceAccountName"),
        "labels": data["metadata"].get("labels") or {},
        "containers": template.get("containers") or [],
    }


def _version_2(data: Mapping[str, Any]) -> dict[str, Any]:
    template = data.get("template") or {}
    return {
        "ingress": data.get("ingress", "INGRESS_TRAFFIC_UNSPECIFIED"),
        "invokerIamDisabled": bool(data.get("invokerIamDisabled")),
        "iapEnabled": bool(data.get("iapEnabled")),
        "serviceAccount": template.get("serviceAccount"),
        "labels": data.get("labels") or {},
        "containers": template.get("containers") or [],
    }


@evidence(calls=["cloudasset.assets.listResource"], per="project")
def jobs(gcp: Any) -> Iterator[Resource]:
    """Every job: identity and environment (redacted)."""
    for asset in gcp.assets("run.googleapis.com/Job"):
        data = asset["resource"]["data"]
        if "spec" in data:
            task = data["spec"]["template"]["spec"]["template"].get("spec") or {}
            account = task.get("serviceAccountName")
        else:
            task = data["template"].get("template") or {}
            account = task.get("serviceAccount")
        yield resource(
            asset["name"],
            config={
                "serviceAccount": account,
                "environment": _environment(task.get("containers") or [], gcp.redact),
            },
        )


def _environment(containers: list[Mapping[str, Any]], redact: Any) -> dict[str, str]:
    """Variables with a value of their own; those that come from Secret Manager have none."""
    values = {}
    for number, container in enumerate(containers, 1):
        # Two containers may have variables of one name.
        prefix = f"container {number} " if number > 1 else ""
        for one in container.get("env") or ():
            if one.get("value"):
                values[prefix + one["name"]] = one["value"]
    return redacted(values, redact)


@check(services, severity="high")
def service_is_not_public(service: Resource, *, allowed_label: str = "public-service") -> Verdict:
    """Cloud Run service answers nobody unknown, unless it is labelled as meant to

    `allowed_label` is the key of that label. Identity-Aware Proxy counts as a guard.

    Risk: anyone can call the service, and run it with the rights of its account and at your cost.
    Fix: gcloud run services remove-iam-policy-binding {name} --region REGION --member=allUsers
        --role=roles/run.invoker; or label it: gcloud run services update {name} --update-labels
        public-service=REASON
    Source: https://cloud.google.com/run/docs/authenticating/public
    Verified: 2026-11-25, fields and values, by the discovery documents of run v1 and v2.
    """
    found = public_grants(service["iamBindings"])
    if service["invokerIamDisabled"]:
        found.append("the check of callers by IAM is off")
    if not found:
        return ok("no role for allUsers or allAuthenticatedUsers")
    if service["iapEnabled"]:
        return ok("Identity-Aware Proxy on")
    labels = service["labels"]
    if allowed_label in labels:
        return ok(f"{'; '.join(found)}, meant to be: label {allowed_label}={labels[allowed_label]}")
    return fail("; ".join(found))


@check(services, severity="medium")
def service_limits_ingress(service: Resource, *, allowed_label: str = "public-service") -> Verdict:
    """Cloud Run service takes traffic only from inside or through a load balancer

    Unless it is labelled as meant to be public; `allowed_label` is the key of that label.

    Risk: the service can be reached past the load balancer, its firewall and its limits.
    Fix: gcloud run services update {name} --region REGION --ingress=internal-and-cloud-load-balancing
    Source: https://cloud.google.com/run/docs/securing/ingress
    Verified: 2026-11-25, fields and values, by the discovery documents of run v1 and v2.
    """
    ingress, labels = service["ingress"], service["labels"]
    if ingress != "INGRESS_TRAFFIC_ALL":
        return ok(f"ingress {ingress}")
    if allowed_label in labels:
        return ok(f"ingress {ingress}, meant to be: label {allowed_label}={labels[allowed_label]}")
    return fail(f"ingress {ingress}")


@check(services, severity="medium")
def service_does_not_run_as_default_account(service: Resource) -> Verdict:
    """Cloud Run service runs as a service account of its own

    Risk: the default account has the role Editor unless somebody took it away: a weakness of the service
        opens the whole project.
    Fix: gcloud run services update {name} --region REGION --service-account=EMAIL
    Source: https://cloud.google.com/run/docs/securing/service-identity
    Verified: 2026-11-25, fields and values, by the discovery documents of run v1 and v2.
    """
    return _own_account(service)


@check(jobs, severity="medium")
def job_does_not_run_as_default_account(job: Resource) -> Verdict:
    """Cloud Run job runs as a service account of its own

    Risk: the default account has the role Editor unless somebody took it away: a weakness of the job opens
        the whole project.
    Fix: gcloud run jobs update {name} --region REGION --service-account=EMAIL
    Source: https://cloud.google.com/run/docs/securing/service-identity
    Verified: 2026-11-25, fields and values, by the discovery documents of run v1 and v2.
    """
    return _own_account(job)


def _own_account(item: Resource) -> Verdict:
    account = item["serviceAccount"]
    if not account:
        return fail("the project's default account")  # the documented default
    return fail(f"default account {account}") if is_default_account(account) else ok(f"account {account}")


@check(services, severity="high")
def service_environment_holds_no_known_secret(service: Resource) -> Verdict:
    """Cloud Run environment variables hold nothing that has the form of a secret

    Access keys, tokens, private keys and passwords in URLs are told by their form.

    Risk: everyone who may see services reads the secret, and it is never rotated.
    Fix: gcloud run services update {name} --region REGION --update-secrets=NAME=SECRET:latest, and replace
        the secret.
    Source: https://cloud.google.com/run/docs/configuring/services/secrets
    Verified: 2026-11-25, fields, by the discovery documents of run v1 and v2.
    """
    return holds_no_known_secret(service["environment"])


@check(services, severity="low")
def service_environment_names_no_secret(service: Resource) -> Verdict:
    """Cloud Run environment variables are not named like secrets

    Judges names, so it can be wrong. A variable that refers to Secret Manager is let by.

    Risk: a password or token in a variable is read by everyone who may see services.
    Fix: gcloud run services update {name} --region REGION --update-secrets=NAME=SECRET:latest
    Source: https://cloud.google.com/run/docs/configuring/services/secrets
    Verified: 2026-11-25, fields, by the discovery documents of run v1 and v2.
    """
    return names_no_secret(service["environment"])


@check(jobs, severity="high")
def job_environment_holds_no_known_secret(job: Resource) -> Verdict:
    """Environment variables of the Cloud Run job hold nothing that has the form of a secret

    Access keys, tokens, private keys and passwords in URLs are told by their form.

    Risk: everyone who may see jobs reads the secret, and it is never rotated.
    Fix: gcloud run jobs update {name} --region REGION --update-secrets=NAME=SECRET:latest, and replace the
        secret.
    Source: https://cloud.google.com/run/docs/configuring/jobs/secrets
    Verified: 2026-11-25, fields, by the discovery documents of run v1 and v2.
    """
    return holds_no_known_secret(job["environment"])
