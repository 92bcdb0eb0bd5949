"""AWS DataSync: tasks, and their tests.

https://docs.aws.amazon.com/datasync/latest/userguide/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import NotCollected, Resource, Verdict, check, evidence, fail, ok, resource

KEPT = (
    "CloudWatchLogGroupArn",
    "DestinationLocationArn",
    "Options",
    "Schedule",
    "SourceLocationArn",
    "TaskMode",
    "TaskReportConfig",
)


@evidence(calls=["datasync:DescribeTask", "datasync:ListTasks"], per="region")
def tasks(aws: Any) -> Iterator[Resource]:
    """Every transfer task with its options and the log group it writes to."""
    datasync = aws.client("datasync")
    for listed in aws.pages(datasync.list_tasks, "Tasks"):
        task = aws.get(datasync.describe_task, TaskArn=listed["TaskArn"])
        if not isinstance(task, NotCollected):
            task = {key: value for key, value in task.items() if key in KEPT}
        yield resource(listed["TaskArn"], name=listed.get("Name", ""), config={"Task": task})


@check(tasks, severity="low")
def task_logs_transfers(task: Resource) -> Verdict:
    """DataSync task writes a log

    Risk: files that were left out or failed to arrive go unnoticed.
    Fix: aws datasync update-task --task-arn ARN --cloud-watch-log-group-arn LOG_GROUP --options
        LogLevel=BASIC
    Source: https://docs.aws.amazon.com/datasync/latest/userguide/API_Options.html
    Verified: 2026-11-25
    """
    group = task["Task"].get("CloudWatchLogGroupArn")
    if not group:
        return fail("no log group")
    level = task["Task"]["Options"].get("LogLevel", "OFF")
    return fail("log level OFF") if level == "OFF" else ok(f"log level {level}, to {group}")


@check(tasks, severity="medium")
def task_verifies_data(task: Resource) -> Verdict:
    """DataSync task compares what arrived with what was sent

    Risk: files that were damaged or cut short on the way are taken for good copies.
    Fix: aws datasync update-task --task-arn ARN --options VerifyMode=ONLY_FILES_TRANSFERRED
    Source: https://docs.aws.amazon.com/datasync/latest/userguide/API_Options.html
    Verified: 2026-11-25
    """
    mode = task["Task"]["Options"]["VerifyMode"]
    return fail("data are not verified") if mode == "NONE" else ok(f"verify mode {mode}")
