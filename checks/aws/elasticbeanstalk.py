"""AWS Elastic Beanstalk: its environments, and what is tested on them.

https://docs.aws.amazon.com/elasticbeanstalk/latest/api/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks._secrets import is_redacted, known_kind, shown, suggests_secret
from checks.aws._listed import listed
from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, not_tested, ok, resource

VARIABLES = "aws:elasticbeanstalk:application:environment"
LOGS = "aws:elasticbeanstalk:cloudwatch:logs"
UPDATES = "aws:elasticbeanstalk:managedactions"


@evidence(
    calls=["elasticbeanstalk:DescribeConfigurationSettings", "elasticbeanstalk:DescribeEnvironments"],
    per="region",
)
def environments(aws: Any) -> Iterator[Resource]:
    """Every environment with its platform, its logging, its updates and its variables, redacted.

    https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/command-options-general.html
    """
    client = aws.client("elasticbeanstalk")
    for one in aws.pages(client.describe_environments, "Environments", IncludeDeleted=False):
        settings = aws.get(
            client.describe_configuration_settings,
            "ConfigurationSettings",
            ApplicationName=one["ApplicationName"],
            EnvironmentName=one["EnvironmentName"],
        )
        yield resource(
            one["EnvironmentArn"],
            name=one["EnvironmentName"],
            config={
                "ApplicationName": one["ApplicationName"],
                "PlatformArn": one.get("PlatformArn"),
                "Tier": one.get("Tier"),
                **_options(settings, aws.redact),
            },
        )


def _options(settings: Any, redact: Any) -> dict[str, Any]:
    if isinstance(settings, NotCollected):
        return {"Logs": settings, "Updates": settings, "Variables": settings}
    found: dict[str, dict[str, Any]] = {LOGS: {}, UPDATES: {}, VARIABLES: {}}
    for setting in settings or ():
        for option in setting.get("OptionSettings") or ():
            if option["Namespace"] in found:
                found[option["Namespace"]][option["OptionName"]] = option.get("Value") or ""
    variables = {name: shown(value, redact) for name, value in found[VARIABLES].items()}
    return {"Logs": found[LOGS], "Updates": found[UPDATES], "Variables": variables}


@evidence(calls=["elasticbeanstalk:ListPlatformBranches"], per="region")
def platform_branches(aws: Any) -> Iterator[Resource]:
    """Every branch of AWS's platforms, and whether it is still supported.

    https://docs.aws.amazon.com/elasticbeanstalk/latest/api/API_ListPlatformBranches.html
    """
    client = aws.client("elasticbeanstalk")
    for branch in listed(client.list_platform_branches, "PlatformBranchSummaryList", "NextToken"):
        name = branch["BranchName"]
        yield resource(
            f"arn:aws:elasticbeanstalk:{aws.region}::platform/{name}",
            name=name,
            config={"BranchName": name, "LifecycleState": branch["LifecycleState"]},
        )


@check(environments, severity="medium")
def environment_keeps_logs(environment: Resource) -> Verdict:
    """Elastic Beanstalk environment sends its logs to CloudWatch Logs

    Risk: the logs are gone with the instance, which the environment replaces as it sees fit.
    Fix: aws elasticbeanstalk update-environment --environment-name {name} --option-settings
        Namespace=aws:elasticbeanstalk:cloudwatch:logs,OptionName=StreamLogs,Value=true
    Source: https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/AWSHowTo.cloudwatchlogs.html
    Verified: 2026-11-25
    """
    value = environment["Logs"].get("StreamLogs", "false")
    return (ok if value == "true" else fail)(f"StreamLogs {value}")


@check(environments, severity="medium")
def environment_updates_itself(environment: Resource) -> Verdict:
    """Elastic Beanstalk environment takes updates of its platform by itself

    Risk: flaws in the operating system, server and language stay open until somebody thinks of it.
    Fix: aws elasticbeanstalk update-environment --environment-name {name} --option-settings
        Namespace=aws:elasticbeanstalk:managedactions,OptionName=ManagedActionsEnabled,Value=true
    Source: https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/environment-platform-update-managed.html
    Verified: 2026-11-25
    """
    value = environment["Updates"].get("ManagedActionsEnabled", "false")
    return (ok if value == "true" else fail)(f"ManagedActionsEnabled {value}")


@check(environments, platform_branches, severity="high")
def platform_is_supported(environment: Resource, *, platform_branches: list[Resource]) -> Verdict:
    """Elastic Beanstalk environment runs on a platform that AWS still patches

    By the state that AWS gives the platform's branch. A platform of your own is not tested.

    Risk: flaws that become known in the operating system or the language are no longer mended.
    Fix: make an environment on a supported branch and swap: aws elasticbeanstalk list-platform-branches
        --filters Attribute=LifecycleState,Operator='=',Values=supported
    Source: https://docs.aws.amazon.com/elasticbeanstalk/latest/api/API_PlatformBranchSummary.html
    Verified: 2026-11-25
    """
    arn = environment["PlatformArn"] or ""
    _, _, platform = arn.partition(":platform/")
    name = platform.rpartition("/")[0]
    for branch in platform_branches:
        if branch["BranchName"] == name:
            state = branch["LifecycleState"]
            return (ok if state.lower() in ("supported", "beta") else fail)(f"{name}: {state}")
    return not_tested(f"AWS lists no platform branch of {arn or 'the environment'}")


@check(environments, severity="high")
def environment_holds_no_secret(environment: Resource) -> Verdict:
    """No variable of the Elastic Beanstalk environment holds a secret

    Told by the form of its value, or by its name: `DB_PASSWORD`, `apiKey`. Values are never stored, only a
    keyed digest of each. Variables that name a secret of Secrets Manager are not among these.

    Risk: everyone who may describe the environment, and every process on it, can read the secret.
    Fix: replace the secret, keep it in Secrets Manager, and set the variable in the namespace
        aws:elasticbeanstalk:application:environmentsecrets to its ARN
    Source: https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/AWSHowTo.secrets.env-vars.html
    Verified: 2026-11-25
    """
    found = [
        f"{name} ({known_kind(value) or 'by its name'})"
        for name, value in sorted(environment["Variables"].items())
        if is_redacted(value) and (known_kind(value) or suggests_secret(name))
    ]
    return fail(f"in plain variables: {', '.join(found)}") if found else ok("no secret in plain variables")
