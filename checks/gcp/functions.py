"""Cloud Run functions, once Cloud Functions: both generations, who may call them, and what they run on.

A function of the second generation is a Cloud Run service: its callers are in that service's policy.

https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from checks.gcp._environment import holds_no_known_secret, names_no_secret, redacted
from checks.gcp._members import is_default_account, public_grants
from checks.gcp._names import part, without
from checks.gcp._policies import bindings_of
from collector.sdk import (
    NotCollected,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    not_tested,
    ok,
    resource,
)

RUNTIMES = "https://cloudfunctions.googleapis.com/v2/projects/{project}/locations/{location}/runtimes"

SECOND = "GEN_2"


@evidence(
    calls=["cloudasset.assets.listResource", "cloudasset.assets.listIamPolicy", f"GET {RUNTIMES}"],
    per="project",
    permissions=[
        "cloudasset.assets.listResource",
        "cloudasset.assets.listIamPolicy",
        "cloudfunctions.runtimes.list",
    ],
)
def functions(gcp: Any) -> Iterator[Resource]:
    """Every function with its callers, and Google's dates for its runtime. The environment is redacted.

    The dates are asked for once in each region that has functions.
    https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.runtimes/list
    """
    bindings = bindings_of(
        gcp,
        "cloudfunctions.googleapis.com/CloudFunction",
        "cloudfunctions.googleapis.com/Function",
        "run.googleapis.com/Service",
    )
    regions: dict[str, Any] = {}
    for asset in gcp.assets("cloudfunctions.googleapis.com/Function"):
        name, data = asset["name"], asset["resource"]["data"]
        region = part(name, "locations")
        if region not in regions:
            regions[region] = gcp.get(RUNTIMES, "runtimes", location=region)
        settings, build = data.get("serviceConfig") or {}, data.get("buildConfig") or {}
        kept = without(data, "serviceConfig", "buildConfig", "stateMessages", "upgradeInfo")
        yield resource(
            name,
            config={
                **kept,
                "serviceConfig": without(settings, "environmentVariables", "revision"),
                "runtime": build.get("runtime"),
                "runtimeSupport": _support(regions[region], build.get("runtime"), data.get("environment")),
                "environmentVariables": redacted(settings.get("environmentVariables"), gcp.redact),
                "buildEnvironmentVariables": redacted(build.get("environmentVariables"), gcp.redact),
                "iamBindings": bindings(_called(name, data, settings)),
            },
        )


def _called(name: str, data: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The full name of what is called: the function, or the service behind one of the second generation."""
    service = settings.get("service")
    return f"//run.googleapis.com/{service}" if data.get("environment") == SECOND and service else name


def _support(runtimes: Any, name: str | None, environment: str | None) -> Any:
    """What Google says of a runtime, None if it does not list it; the marker if the list was not read."""
    if isinstance(runtimes, NotCollected):
        return runtimes
    for one in runtimes or ():
        if one.get("name") == name and one.get("environment") in (environment, None):
            return without(one, "warnings")
    return None


def _only_for_events(function: Resource) -> bool:
    return "eventTrigger" in function and function.get("environment") != SECOND


@check(functions, severity="high")
def function_is_not_public(function: Resource, *, allowed_label: str = "public-service") -> Verdict:
    """Function can be called by nobody unknown, unless it is labelled as meant to be

    `allowed_label` is the key of that label.

    Risk: anyone can run the function with the rights of its account and at your cost.
    Fix: gcloud functions remove-invoker-policy-binding {name} --region REGION --member=allUsers; or label it:
        gcloud functions deploy {name} --update-labels public-service=REASON
    Source: https://cloud.google.com/functions/docs/securing/managing-access-iam
    Verified: 2026-11-25, fields and values, by the discovery document of cloudfunctions v2.
    """
    found = public_grants(function["iamBindings"])
    if not found:
        return ok("no role for allUsers or allAuthenticatedUsers")
    labels = function.get("labels") or {}
    if allowed_label in labels:
        return ok(f"{'; '.join(found)}, meant to be: label {allowed_label}={labels[allowed_label]}")
    return fail("; ".join(found))


@check(functions, severity="medium")
def function_limits_ingress(function: Resource, *, allowed_label: str = "public-service") -> Verdict:
    """Function takes traffic only from inside or through a load balancer

    Unless it is labelled as meant to be public; `allowed_label` is the key of that label.

    Risk: the function can be reached past the load balancer, its firewall and its limits.
    Fix: gcloud functions deploy {name} --region REGION --ingress-settings=internal-and-gclb
    Source: https://cloud.google.com/functions/docs/networking/network-settings
    Verified: 2026-11-25, fields and values, by the discovery document of cloudfunctions v2.
    """
    if _only_for_events(function):
        return not_applicable("triggered by events: has no address")
    ingress = function["serviceConfig"].get("ingressSettings", "ALLOW_ALL")
    labels = function.get("labels") or {}
    if ingress != "ALLOW_ALL":
        return ok(f"ingress {ingress}")
    if allowed_label in labels:
        return ok(f"ingress {ingress}, meant to be: label {allowed_label}={labels[allowed_label]}")
    return fail(f"ingress {ingress}")


@check(functions, severity="medium")
def function_requires_https(function: Resource) -> Verdict:
    """Function answers by HTTPS only

    Of the second generation all do.

    Risk: tokens and data can be read on the way.
    Fix: gcloud functions deploy {name} --region REGION --security-level=secure-always
    Source: https://cloud.google.com/functions/docs/writing/write-http-functions
    Verified: 2026-11-25, fields and values, by the discovery document of cloudfunctions v2.
    """
    if function.get("environment") == SECOND:
        return ok("second generation: HTTPS only")
    if _only_for_events(function):
        return not_applicable("triggered by events: has no address")
    level = function["serviceConfig"].get("securityLevel", "SECURE_OPTIONAL")  # the documented default
    return ok(f"security level {level}") if level == "SECURE_ALWAYS" else fail(f"security level {level}")


@check(functions, severity="medium")
def function_does_not_run_as_default_account(function: Resource) -> Verdict:
    """Function runs as a service account of its own

    Risk: the default account has the role Editor unless somebody took it away: a weakness of the function
        opens the whole project.
    Fix: gcloud functions deploy {name} --region REGION --service-account=EMAIL
    Source: https://cloud.google.com/functions/docs/securing/function-identity
    Verified: 2026-11-25, fields and values, by the discovery document of cloudfunctions v2.
    """
    account = function["serviceConfig"].get("serviceAccountEmail")
    if not account:
        return fail("the project's default account")  # the documented default
    return fail(f"default account {account}") if is_default_account(account) else ok(f"account {account}")


@check(functions, severity="medium")
def function_runtime_is_supported(function: Resource, *, at: datetime) -> Verdict:
    """Function runs on a runtime that Google still supports

    Risk: vulnerabilities found in the language or its libraries are no longer mended.
    Fix: gcloud functions deploy {name} --region REGION --runtime=NEWER, after testing.
    Source: https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.runtimes/list
    Verified: 2026-11-25, fields and values, by the discovery document of cloudfunctions v2.
    """
    if not (runtime := function.get("runtime")):
        return not_applicable("no runtime: what it runs on is in its image")
    support = function["runtimeSupport"]
    if support is None:
        return fail(f"runtime {runtime}: Google lists it no more")
    if (stage := support.get("stage")) in ("DEPRECATED", "DECOMMISSIONED"):
        return fail(f"runtime {runtime} {stage}")
    if not (deprecation := _date(support.get("deprecationDate"))):
        return not_tested(f"runtime {runtime} {stage}: Google states no date")
    if at.date() >= deprecation:
        return fail(f"runtime {runtime}, deprecated on {deprecation}")
    return ok(f"runtime {runtime}, supported until {deprecation}")


def _date(value: Mapping[str, int] | None) -> date | None:
    """A date as Google's APIs give it, if its year, month and day are all there."""
    parts = [(value or {}).get(one) or 0 for one in ("year", "month", "day")]
    return date(*parts) if all(parts) else None


@check(functions, severity="high")
def function_environment_holds_no_known_secret(function: Resource) -> Verdict:
    """Environment variables of the function hold nothing that has the form of a secret

    Those of its build as well. Access keys, tokens, private keys and passwords in URLs are told by their
    form.

    Risk: everyone who may see functions reads the secret, and it is never rotated.
    Fix: gcloud functions deploy {name} --region REGION --set-secrets=NAME=SECRET:latest, and replace the
        secret.
    Source: https://cloud.google.com/functions/docs/configuring/secrets
    Verified: 2026-11-25, fields, by the discovery document of cloudfunctions v2.
    """
    return holds_no_known_secret(_variables(function))


@check(functions, severity="low")
def function_environment_names_no_secret(function: Resource) -> Verdict:
    """Environment variables of the function are not named like secrets

    Judges names, so it can be wrong. A variable that refers to Secret Manager is let by.

    Risk: a password or token in a variable is read by everyone who may see functions.
    Fix: gcloud functions deploy {name} --region REGION --set-secrets=NAME=SECRET:latest
    Source: https://cloud.google.com/functions/docs/configuring/secrets
    Verified: 2026-11-25, fields, by the discovery document of cloudfunctions v2.
    """
    return names_no_secret(_variables(function))


def _variables(function: Resource) -> dict[str, str]:
    build = {f"build {name}": value for name, value in function["buildEnvironmentVariables"].items()}
    return {**function["environmentVariables"], **build}
