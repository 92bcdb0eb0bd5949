"""App Engine: versions that serve.

https://cloud.google.com/appengine/docs/admin-api/reference/rest/v1/apps.services.versions
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from checks.gcp._environment import holds_no_known_secret, redacted
from checks.gcp._names import short
from collector.sdk import (
    NotCollected,
    Reason,
    Resource,
    Verdict,
    check,
    evidence,
    fail,
    not_applicable,
    ok,
    resource,
)

VERSIONS = "https://appengine.googleapis.com/v1/{+service}/versions"

READ = ("env", "id", "runtime", "serviceAccount", "servingStatus")


@evidence(
    calls=["cloudasset.assets.listResource", f"GET {VERSIONS}"],
    per="project",
    permissions=["cloudasset.assets.listResource", "appengine.versions.list"],
)
def versions(gcp: Any) -> Iterator[Resource]:
    """Every version that serves, with its environment and its handlers, which the inventory does not have.

    Both are given only where all of a version is asked for, which is done once per service. Values of the
    environment are redacted.
    https://cloud.google.com/appengine/docs/admin-api/reference/rest/v1/apps.services.versions/list
    """
    services: dict[str, Any] = {}
    for asset in gcp.assets("appengine.googleapis.com/Version"):
        name, data = asset["name"], asset["resource"]["data"]
        if data.get("servingStatus", "SERVING") != "SERVING":
            continue
        service = name.removeprefix("//appengine.googleapis.com/").rpartition("/versions/")[0]
        if service not in services:
            services[service] = gcp.all(VERSIONS, "versions", service=service, view="FULL")
        version = _version(services[service], short(name))
        yield resource(
            name,
            name=f"{short(service)}/{short(name)}",
            config={
                **{key: data[key] for key in READ if key in data},
                "handlers": _of(version, lambda one: one.get("handlers") or []),
                "envVariables": _of(version, lambda one: redacted(one.get("envVariables"), gcp.redact)),
            },
        )


def _version(versions: Any, version: str) -> Any:
    """All of a version; the marker if it was not read."""
    listed = versions if isinstance(versions, list) else [versions]
    for one in listed:
        if not isinstance(one, NotCollected) and one.get("id") == version:
            return one
    gaps = [one for one in listed if isinstance(one, NotCollected)]
    return gaps[0] if gaps else NotCollected(Reason.GONE, f"App Engine lists no version {version}")


def _of(version: Any, read: Callable[[Any], Any]) -> Any:
    return version if isinstance(version, NotCollected) else read(version)


@check(versions, severity="medium")
def version_requires_https(version: Resource) -> Verdict:
    """App Engine version answers by HTTPS only

    Risk: sessions and data can be read on the way.
    Fix: set `secure: always` on every handler in app.yaml, and gcloud app deploy
    Source: https://cloud.google.com/appengine/docs/standard/reference/app-yaml
    Verified: 2026-11-25, fields and values, by the discovery document of appengine v1.
    """
    if (environment := version.get("env", "standard")) not in ("standard", "1"):
        return not_applicable(f"environment {environment} has no handlers: the application itself redirects")
    handlers = version["handlers"]
    open_ = [one.get("urlRegex", "") for one in handlers if one.get("securityLevel") != "SECURE_ALWAYS"]
    if open_:
        return fail(f"plain HTTP answered on {', '.join(open_)}")
    return ok("SECURE_ALWAYS on every handler") if handlers else fail("no handler: plain HTTP is answered")


@check(versions, severity="high")
def version_environment_holds_no_known_secret(version: Resource) -> Verdict:
    """App Engine environment variables hold nothing that has the form of a secret

    Access keys, tokens, private keys and passwords in URLs are told by their form.

    Risk: everyone who may see versions reads the secret, and it stands in app.yaml as well.
    Fix: keep it in Secret Manager, let the application fetch it, and replace the secret.
    Source: https://cloud.google.com/appengine/docs/standard/reference/app-yaml
    Verified: 2026-11-25, fields and the view that has them, by the discovery document of appengine v1.
    """
    return holds_no_known_secret(version["envVariables"])
