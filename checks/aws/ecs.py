"""Amazon ECS: the services of its clusters and the tasks they start, and what is tested on them.

Tasks that nothing but a schedule or a person starts are not seen.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks._secrets import is_redacted, known_kind, shown, suggests_secret
from checks.aws._listed import batches
from collector.sdk import Resource, Verdict, check, evidence, fail, not_applicable, not_tested, ok, resource

BATCH = 10
"""How many services one call describes."""

ROOT_LIKE = ("ALL", "DAC_READ_SEARCH", "NET_ADMIN", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO")
"""Linux capabilities by which a container can take over its host, or read other containers' traffic."""

SERVICE_CALLS = ("ecs:DescribeServices", "ecs:ListClusters", "ecs:ListServices")


@evidence(calls=["ecs:DescribeClusters", "ecs:ListClusters"], per="region")
def clusters(aws: Any) -> Iterator[Resource]:
    """Every cluster with its settings; not what runs on it at the moment.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html
    """
    client = aws.client("ecs")
    for arns in batches(aws.pages(client.list_clusters, "clusterArns"), 100):
        for cluster in client.describe_clusters(clusters=arns, include=["CONFIGURATIONS", "SETTINGS"])[
            "clusters"
        ]:
            kept = ("clusterName", "configuration", "settings", "capacityProviders")
            yield resource(
                cluster["clusterArn"],
                name=cluster["clusterName"],
                config={key: cluster[key] for key in kept if key in cluster},
            )


@evidence(calls=SERVICE_CALLS, per="region")
def services(aws: Any) -> Iterator[Resource]:
    """Every active service with its network and whether commands may be run in its tasks.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html
    """
    kept = (
        "capacityProviderStrategy",
        "clusterArn",
        "enableExecuteCommand",
        "launchType",
        "networkConfiguration",
        "platformVersion",
        "serviceName",
    )
    for service in _services(aws):
        yield resource(
            service["serviceArn"],
            name=service["serviceName"],
            config={
                **{key: service[key] for key in kept if key in service},
                "Family": _family(service.get("taskDefinition") or ""),
            },
        )


@evidence(calls=[*SERVICE_CALLS, "ecs:DescribeTaskDefinition"], per="region")
def task_definitions(aws: Any) -> Iterator[Resource]:
    """Of every family of task definitions that a service uses, the newest revision in use.

    Values of environment variables are redacted; options of log drivers, which may be tokens, left out.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html
    """
    client = aws.client("ecs")
    newest: dict[str, int] = {}
    for service in _services(aws):
        family, _, revision = (service.get("taskDefinition") or "").rpartition(":")
        if family:  # a service of other deployment controllers names its tasks elsewhere
            newest[family] = max(newest.get(family, 0), int(revision))
    for family, revision in sorted(newest.items()):
        answer = client.describe_task_definition(taskDefinition=f"{family}:{revision}")
        task = answer["taskDefinition"]
        kept = ("family", "revision", "networkMode", "pidMode", "ipcMode", "requiresCompatibilities")
        yield resource(
            family,
            name=task["family"],
            config={
                **{key: task[key] for key in kept if key in task},
                "Containers": [_container(one, aws.redact) for one in task["containerDefinitions"]],
            },
        )


def _services(aws: Any) -> Iterator[Any]:
    """The active services of all clusters, described once for all evidence of the region."""

    def read() -> list[Any]:
        client = aws.client("ecs")
        return [
            service
            for cluster in aws.pages(client.list_clusters, "clusterArns")
            for arns in batches(aws.pages(client.list_services, "serviceArns", cluster=cluster), BATCH)
            for service in client.describe_services(cluster=cluster, services=arns)["services"]
            if service["status"] == "ACTIVE"
        ]

    yield from aws.once("ecs services", read)


def _family(task_definition: str) -> str:
    """The ARN without the revision, which changes with every deployment."""
    return task_definition.rpartition(":")[0]


def _container(container: Mapping[str, Any], redact: Any) -> dict[str, Any]:
    kept = ("name", "image", "privileged", "readonlyRootFilesystem", "user", "linuxParameters")
    return {
        **{key: container[key] for key in kept if key in container},
        "Environment": {
            one["name"]: shown(one["value"], redact) for one in container.get("environment") or ()
        },
        "LogDriver": (container.get("logConfiguration") or {}).get("logDriver"),
    }


@check(task_definitions, severity="medium")
def task_logs_output(task: Resource) -> Verdict:
    """Every container of the ECS task writes its output to a log

    Risk: what a container said is gone with it, so nobody can say afterwards what happened in it.
    Fix: register a revision of {name} in which each container has a logConfiguration, as with
        logDriver awslogs: aws ecs register-task-definition --cli-input-json FILE
    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html
    Verified: 2026-11-25
    """
    silent = [one["name"] for one in task["Containers"] if not one["LogDriver"]]
    if silent:
        return fail(f"no log of container {', '.join(silent)}")
    return ok(f"logged by {', '.join(sorted({one['LogDriver'] for one in task['Containers']}))}")


@check(task_definitions, severity="high")
def task_environment_holds_no_secret(task: Resource) -> Verdict:
    """No plain variable of the ECS task's containers holds a secret

    Told by the form of its value, or by its name: `DB_PASSWORD`, `apiKey`. Values are never stored, only a
    keyed digest of each.

    Risk: everyone who may describe the task definition, or any of its old revisions, can read the secret.
    Fix: replace the secret, keep it in Secrets Manager, and register a revision of {name} that names it
        under `secrets`: aws ecs register-task-definition --cli-input-json FILE
    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html
    Verified: 2026-11-25
    """
    found = []
    for container in task["Containers"]:
        for name, value in container["Environment"].items():
            if is_redacted(value) and ((kind := known_kind(value)) or suggests_secret(name)):
                found.append(f"{name} in {container['name']} ({kind or 'by its name'})")
    return fail(f"in plain variables: {', '.join(found)}") if found else ok("no secret in plain variables")


@check(task_definitions, severity="high")
def task_keeps_off_its_host(task: Resource) -> Verdict:
    """Containers of the ECS task have no rights on the machine they run on

    They are neither privileged nor given a capability as good as root's, and share neither processes,
    memory nor network with the host.

    Risk: a flaw in one container gives control of the host and of every other container on it.
    Fix: register a revision of {name} without privileged, added capabilities, pidMode, ipcMode and
        networkMode host: aws ecs register-task-definition --cli-input-json FILE
    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html
    Verified: 2026-11-25
    """
    faults = [f"{mode} host" for mode in ("pidMode", "ipcMode", "networkMode") if task.get(mode) == "host"]
    for one in task["Containers"]:
        added = ((one.get("linuxParameters") or {}).get("capabilities") or {}).get("add") or ()
        faults += [f"{one['name']} privileged"] if one.get("privileged") else []
        faults += [f"{one['name']} has {name}" for name in sorted(added) if name in ROOT_LIKE]
    return fail(", ".join(faults)) if faults else ok("no rights on the host")


@check(services, severity="medium")
def service_assigns_no_public_addresses(service: Resource) -> Verdict:
    """ECS service gives its tasks no public address

    Risk: tasks can be reached from the internet past the load balancer as soon as a security group is opened.
    Fix: aws ecs update-service --cluster CLUSTER --service {name} --network-configuration
        awsvpcConfiguration={subnets=[SUBNET],assignPublicIp=DISABLED}
    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html
    Verified: 2026-11-25
    """
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if not network:
        return not_applicable("the tasks have no network interface of their own")
    assigned = network.get("assignPublicIp", "DISABLED")  # the API's default
    return (fail if assigned == "ENABLED" else ok)(f"assignPublicIp {assigned}")


@check(services, clusters, task_definitions, severity="medium")
def commands_in_tasks_are_logged(
    service: Resource, *, clusters: list[Resource], task_definitions: list[Resource]
) -> Verdict:
    """What people do inside the ECS service's tasks is logged, if they can

    By the cluster's setting for ECS Exec. DEFAULT logs to where the container's own awslogs driver does, and
    not at all where it has none; OVERRIDE logs to a place of its own.

    Risk: whoever opens a shell in a production container leaves no trace of what was done there.
    Fix: aws ecs update-cluster --cluster CLUSTER --configuration
        executeCommandConfiguration={logging=OVERRIDE,logConfiguration={cloudWatchLogGroupName=GROUP}}
    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommandConfiguration.html
    Verified: 2026-11-25
    """
    if not service.get("enableExecuteCommand", False):
        return ok("nobody can run commands in the tasks")
    cluster = next((one for one in clusters if one.key == service["clusterArn"]), None)
    if cluster is None:
        return not_tested(f"ECS Exec on, and nothing is known of cluster {service['clusterArn']}")
    settings = (cluster.get("configuration") or {}).get("executeCommandConfiguration") or {}
    logging = settings.get("logging", "DEFAULT")
    stated = f"ECS Exec on, logging {logging} in cluster {cluster.name}"
    if logging != "DEFAULT":
        return (fail if logging == "NONE" else ok)(stated)
    task = next((one for one in task_definitions if one.key == service["Family"]), None)
    if task is None:
        return not_tested(f"{stated}, and nothing is known of task definition {service['Family']}")
    silent = [one["name"] for one in task["Containers"] if one["LogDriver"] != "awslogs"]
    return fail(f"{stated}, no awslogs driver in {', '.join(silent)}") if silent else ok(stated)
