"""AWS CodeBuild: its projects and report groups, and what is tested on them.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetProjects.html
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetReportGroups.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from checks._secrets import is_redacted, known_kind, shown, suggests_secret
from checks.aws._listed import batches
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, ok, resource

KEPT = (
    "artifacts",
    "encryptionKey",
    "logsConfig",
    "name",
    "projectVisibility",
    "secondaryArtifacts",
    "serviceRole",
    "vpcConfig",
)
BATCH = 100
"""How many projects or report groups one call describes."""


@evidence(calls=["codebuild:BatchGetProjects", "codebuild:ListProjects"], per="region")
def projects(aws: Any) -> Iterator[Resource]:
    """Every build project. Values of plain variables are redacted, as are credentials in sources' URLs.

    What a build does, its buildspec, is left out: it is code, and mostly kept with the code.
    """
    client = aws.client("codebuild")
    for names in batches(aws.pages(client.list_projects, "projects"), BATCH):
        for project in client.batch_get_projects(names=names)["projects"]:
            sources = [project["source"], *(project.get("secondarySources") or ())]
            environment = project["environment"]
            yield resource(
                project["arn"],
                name=project["name"],
                config={
                    **{key: project[key] for key in KEPT if key in project},
                    "Sources": [_source(one, aws.redact) for one in sources],
                    "Image": environment["image"],
                    "Privileged": environment.get("privilegedMode", False),
                    "Variables": [
                        _variable(one, aws.redact) for one in environment.get("environmentVariables") or ()
                    ],
                    "Webhook": _webhook(project.get("webhook")),
                },
            )


def _source(source: Mapping[str, Any], redact: Any) -> dict[str, Any]:
    location = source.get("location") or ""
    url = urlsplit(location)
    if url.scheme in ("http", "https") and "@" in url.netloc:
        user, _, host = url.netloc.rpartition("@")
        return {
            "type": source["type"],
            "location": urlunsplit(url._replace(netloc=host)),
            "Credentials": redact(user),
        }
    return {"type": source["type"], "location": location, "Credentials": None}


def _variable(variable: Mapping[str, Any], redact: Any) -> dict[str, Any]:
    kind = variable.get("type", "PLAINTEXT")  # what CodeBuild takes it for where it is not said
    value = shown(variable["value"], redact) if kind == "PLAINTEXT" else variable["value"]
    return {"name": variable["name"], "type": kind, "value": value}


def _webhook(webhook: Mapping[str, Any] | None) -> Any:
    """The webhook without its secret, and without the URL, which is as good as one."""
    kept = ("branchFilter", "buildType", "filterGroups", "pullRequestBuildPolicy", "scopeConfiguration")
    return None if webhook is None else {key: webhook[key] for key in kept if key in webhook}


@evidence(calls=["codebuild:BatchGetReportGroups", "codebuild:ListReportGroups"], per="region")
def report_groups(aws: Any) -> Iterator[Resource]:
    """Every group of test reports, and where their raw data goes."""
    client = aws.client("codebuild")
    for arns in batches(aws.pages(client.list_report_groups, "reportGroups"), BATCH):
        for group in client.batch_get_report_groups(reportGroupArns=arns)["reportGroups"]:
            yield resource(
                group["arn"],
                name=group["name"],
                config={key: group[key] for key in ("name", "type", "exportConfig") if key in group},
            )


@check(projects, severity="high")
def environment_holds_no_secret(project: Resource) -> Verdict:
    """No plain variable of the CodeBuild project holds a secret

    Told by the form of its value, or by its name: `DB_PASSWORD`, `AWS_SECRET_ACCESS_KEY`. Values are never
    stored, only a keyed digest of each.

    Risk: everyone who may see the project or its build logs can read the secret, and use it.
    Fix: replace the secret, keep it in Secrets Manager, and make the variable of type SECRETS_MANAGER:
        aws codebuild update-project --name {name} --environment ...
    Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_EnvironmentVariable.html
    Verified: 2026-11-25
    """
    plain = [one for one in project["Variables"] if one["type"] == "PLAINTEXT" and is_redacted(one["value"])]
    found = []
    for one in plain:
        kind = known_kind(one["value"])
        if kind or suggests_secret(one["name"]):
            found.append(f"{one['name']} ({kind or 'by its name'})")
    return fail(f"in plain variables: {', '.join(found)}") if found else ok("no secret in plain variables")


@check(projects, severity="high")
def source_url_holds_no_credentials(project: Resource) -> Verdict:
    """No source URL of the CodeBuild project carries credentials

    Risk: everyone who may see the project can read and use them, and they are in every build log.
    Fix: replace the credentials; connect the source with aws codebuild import-source-credentials or a
        connection, and give the plain URL: aws codebuild update-project --name {name} --source ...
    Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectSource.html
    Verified: 2026-11-25
    """
    found = [one["location"] for one in project["Sources"] if one["Credentials"]]
    return fail(f"credentials in the URL of {', '.join(found)}") if found else ok("no credentials in URLs")


@check(projects, severity="high")
def strangers_start_no_builds(project: Resource) -> Verdict:
    """Pull requests of strangers start no build of the CodeBuild project by themselves

    Either the webhook names the accounts whose pull requests are built, or somebody must approve by a
    comment. Whether strangers can open pull requests at all, as in a public repository, is not seen.

    Risk: whoever opens a pull request runs code of their own with the project's role and variables.
    Fix: aws codebuild update-webhook --project-name {name} --pull-request-build-policy
        requiresCommentApproval=FORK_PULL_REQUESTS, or add a filter of type ACTOR_ACCOUNT_ID
    Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_PullRequestBuildPolicy.html
    Verified: 2026-11-25
    """
    webhook = project["Webhook"]
    if webhook is None:
        return not_applicable("no webhook starts builds")
    approval = (webhook.get("pullRequestBuildPolicy") or {}).get("requiresCommentApproval", "DISABLED")
    if approval != "DISABLED":
        return ok(f"builds wait for approval by a comment: {approval}")
    # Without filter groups every push and every pull request starts a build.
    if any(_builds_strangers(group) for group in webhook.get("filterGroups") or [[]]):
        return fail("pull requests start builds without approval, whoever opens them")
    return ok("no pull request starts a build, or named accounts' only")


def _builds_strangers(group: list[Mapping[str, Any]]) -> bool:
    """Whether a group of filters, which must all match, lets through a pull request of anybody."""
    events = [one for one in group if one["type"] == "EVENT"]
    asks = not events or any("PULL_REQUEST_" in one["pattern"] for one in events)
    named = any(
        one["type"] == "ACTOR_ACCOUNT_ID" and not one.get("excludeMatchedPattern", False) for one in group
    )
    return asks and not named


@check(projects, severity="high")
def builds_are_not_public(project: Resource) -> Verdict:
    """Builds of the CodeBuild project are not shown to the public

    Risk: anyone on the internet reads the logs and takes the artifacts, with whatever they contain.
    Fix: aws codebuild update-project-visibility --project-arn ARN --project-visibility PRIVATE
    Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateProjectVisibility.html
    Verified: 2026-11-25
    """
    visibility = project.get("projectVisibility", "PRIVATE")  # the default
    return (fail if visibility == "PUBLIC_READ" else ok)(f"project visibility {visibility}")


@check(projects, severity="medium")
def project_logs_builds(project: Resource) -> Verdict:
    """CodeBuild project logs its builds, to CloudWatch Logs or S3

    Risk: nobody can say afterwards what a build did, nor where a changed artifact came from.
    Fix: aws codebuild update-project --name {name} --logs-config cloudWatchLogs={status=ENABLED}
    Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_LogsConfig.html
    Verified: 2026-11-25
    """
    config = project.get("logsConfig") or {}
    # Logs go to CloudWatch Logs where nothing is said, and to S3 only where it is said.
    to = [
        place
        for place, key, default in (
            ("CloudWatch Logs", "cloudWatchLogs", "ENABLED"),
            ("S3", "s3Logs", "DISABLED"),
        )
        if (config.get(key) or {}).get("status", default) == "ENABLED"
    ]
    return ok(f"logged to {' and '.join(to)}") if to else fail("logs off")


@check(projects, severity="low")
def build_logs_are_encrypted(project: Resource) -> Verdict:
    """CodeBuild does not switch off the encryption of the build logs that it writes to S3

    Risk: the logs are kept as the bucket happens to be set up, in older buckets readable.
    Fix: aws codebuild update-project --name {name} --logs-config
        s3Logs={status=ENABLED,location=BUCKET,encryptionDisabled=false}
    Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_S3LogsConfig.html
    Verified: 2026-11-25
    """
    logs = (project.get("logsConfig") or {}).get("s3Logs") or {}
    if logs.get("status", "DISABLED") != "ENABLED":
        return not_applicable("no build logs in S3")
    off = logs.get("encryptionDisabled", False)  # encrypted by default
    return fail("encryption of S3 logs switched off") if off else ok("S3 logs encrypted")


@check(projects, severity="medium")
def artifacts_are_encrypted(project: Resource) -> Verdict:
    """CodeBuild does not switch off the encryption of what it builds

    Risk: artifacts are kept as the bucket happens to be set up, in older buckets readable.
    Fix: aws codebuild update-project --name {name} --artifacts type=S3,...,encryptionDisabled=false
    Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectArtifacts.html
    Verified: 2026-11-25
    """
    artifacts = [project["artifacts"], *(project.get("secondaryArtifacts") or ())]
    kept = [one for one in artifacts if one["type"] == "S3"]
    if not kept:
        return not_applicable("the project itself puts no artifact into S3")
    plain = [one["location"] for one in kept if one.get("encryptionDisabled", False)]
    if plain:
        return fail(f"encryption switched off for artifacts in {', '.join(plain)}")
    return ok("artifacts encrypted")


@check(report_groups, severity="low")
def exported_reports_are_encrypted(group: Resource) -> Verdict:
    """CodeBuild does not switch off the encryption of the test reports that it exports

    Risk: reports, with the test data in them, are kept as the bucket happens to be set up.
    Fix: aws codebuild update-report-group --arn ARN --export-config
        exportConfigType=S3,s3Destination={bucket=BUCKET,encryptionDisabled=false}
    Source: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_S3ReportExportConfig.html
    Verified: 2026-11-25
    """
    export = group["exportConfig"]
    if export["exportConfigType"] != "S3":
        return not_applicable("the reports are not exported")
    destination = export["s3Destination"]
    off = destination.get("encryptionDisabled", False)  # encrypted by default
    return (fail if off else ok)(
        f"reports in {destination['bucket']}, encryption {'switched off' if off else 'on'}"
    )
