"""`collector schedule`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from collector.cli.common import config_option, console, json_option, load_config, print_json
from collector.cli.run import actor
from collector.model import UserError


@click.command()
@config_option
@click.option("--health", is_flag=True, help="Ask the schedule at work how it is; exit with 1 if not well.")
@json_option
def schedule(config_file: Path, health: bool, as_json: bool) -> None:
    """Run by the timetable, in the foreground, until it is stopped.

    What is read when stands under `schedule:` in config.yaml. One run is made at a time. A run that was
    missed is recorded as missed and caught up, once. SIGTERM and Ctrl-C let a run in hand go on for its
    grace, then interrupt it; SIGHUP, or a change of config.yaml, makes it read that again. The log goes to
    standard error, as JSON lines unless that is a terminal. Health is served at http://ENDPOINT/health,
    Prometheus metrics at /metrics. docs/operating.md says how to set it up.

    Exit status: 0 stopped, or healthy; 1 with --health, not healthy, or none answers; 2 usage or
    configuration.

    \b
    Examples:
      collector schedule
      collector schedule --health
    """
    if health:
        _tell_health(config_file, as_json)
        return
    from collector.operate import logs
    from collector.operate.schedule import Schedule

    logs.begin(sys.stderr)
    Schedule(config_file, actor=actor()).keep()


def _tell_health(config_file: Path, as_json: bool) -> None:
    from collector.operate.health import asked

    timetable = load_config(config_file).schedule
    if timetable is None or not timetable.endpoint:
        raise UserError(f"{config_file}: has no schedule: with an endpoint:, so there is none to ask")
    try:
        document = asked(timetable.endpoint)
    except UserError as error:
        document = {"healthy": False, "problems": [str(error)]}
    if as_json:
        print_json(document)
    else:
        out = console()
        out.print("healthy" if document["healthy"] else "not healthy: " + "; ".join(document["problems"]))
        if document.get("config_problem"):
            out.print(f"configuration not taken: {document['config_problem']}")
    sys.exit(0 if document["healthy"] else 1)
