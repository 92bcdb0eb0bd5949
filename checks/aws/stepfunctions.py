"""AWS Step Functions: its state machines, and what is tested on them.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collector.sdk import Resource, Verdict, check, evidence, fail, ok, resource


@evidence(calls=["states:DescribeStateMachine", "states:ListStateMachines"], per="region")
def state_machines(aws: Any) -> Iterator[Resource]:
    """Every state machine with its logging; its definition, which is code, is not asked for."""
    client = aws.client("stepfunctions")
    for one in aws.pages(client.list_state_machines, "stateMachines"):
        machine = aws.get(
            client.describe_state_machine,
            stateMachineArn=one["stateMachineArn"],
            includedData="METADATA_ONLY",
        )
        if isinstance(machine, dict):
            kept = ("encryptionConfiguration", "loggingConfiguration", "roleArn", "tracingConfiguration")
            machine = {key: machine[key] for key in kept if key in machine}
        yield resource(
            one["stateMachineArn"],
            name=one["name"],
            config={"name": one["name"], "type": one["type"], "Settings": machine},
        )


@check(state_machines, severity="medium")
def machine_logs_executions(machine: Resource) -> Verdict:
    """State machine logs its executions

    Step Functions itself keeps the history of a STANDARD execution for 90 days, of an EXPRESS one none.

    Risk: nobody can say afterwards what a process did, or why it failed.
    Fix: aws stepfunctions update-state-machine --state-machine-arn ARN --logging-configuration
        level=ERROR,destinations=[{cloudWatchLogsLogGroup={logGroupArn=GROUP_ARN}}]
    Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_LoggingConfiguration.html
    Verified: 2026-11-25
    """
    level = (machine["Settings"].get("loggingConfiguration") or {}).get("level", "OFF")  # the default
    return (fail if level == "OFF" else ok)(f"log level {level}, type {machine['type']}")
