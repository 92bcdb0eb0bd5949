"""`collector checks`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.common import (
    SEVERITY,
    config_option,
    console,
    count,
    in_yaml,
    json_option,
    load_config,
    load_controls,
    load_registry,
    print_json,
    styled,
    table,
    utc_now,
)
from collector.model import Severity, UserError

if TYPE_CHECKING:
    from collector.registry import Registry
    from collector.sdk import Check
    from mappings import ControlMap


@click.command()
@click.argument("pattern", required=False)
@click.option("--platform", metavar="NAME", help="Only checks on this platform.")
@click.option("--severity", type=SEVERITY, help="Only checks of this severity or above.")
@click.option("--requirement", metavar="ID", help="Only checks that bear on this requirement.")
@click.option(
    "--prove",
    is_flag=True,
    help="Show, on recorded evidence, that each check can pass, fail and be not tested.",
)
@click.option(
    "--write-docs",
    "docs",
    is_flag=False,
    flag_value="docs/checks",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="[FOLDER]",
    help="Write a page per service into FOLDER (docs/checks if not named).",
)
@config_option
@json_option
def checks(
    pattern: str | None,
    platform: str | None,
    severity: str | None,
    requirement: str | None,
    prove: bool,
    docs: Path | None,
    config_file: Path,
    as_json: bool,
) -> None:
    """List the checks, read one's documentation, or prove that they can fail.

    PATTERN is a part of a check's id or title; a whole id shows that check's documentation: what a pass
    means, the risk, the fix, its parameters, what it reads and what it bears on.

    --prove runs the checks, as installed, on the evidence recorded for them: each has a resource on which it
    must pass, one on which it must fail and one that it must not test. If there is a ledger, the outcome is
    recorded in its journal. Exit status 1 if a check does not say what it must.

    \b
    Examples:
      collector checks --requirement A.8.24
      collector checks aws.iam.access_keys_are_rotated
      collector checks github --prove
    """
    config = load_config(config_file) if config_file.exists() else None
    known, controls = load_registry(config), load_controls(config)
    if docs:
        _write_docs(docs, known, controls)
        return
    chosen = _choose(list(known.checks.values()), controls, pattern, platform, severity, requirement)
    if prove:
        _prove(chosen, config.ledger if config else None, as_json)
    elif as_json:
        print_json([document(check, controls) for check in chosen])
    elif len(chosen) == 1 and pattern:
        print_documentation(chosen[0], controls)
    else:
        rows = [
            (check.id, styled(check.severity), check.title, ", ".join(controls.requirements_of(check.id)))
            for check in chosen
        ]
        table(("check", "severity", "a pass means", "bears on"), rows)
        console().print(f"\n{count(len(chosen), 'check')}; `collector checks ID` reads one's documentation")


def _write_docs(folder: Path, known: Registry, controls: ControlMap) -> None:
    from collector.report import check_docs

    click.echo(f"{folder}: {count(check_docs.write(folder, known, controls), 'page')}")


def document(check: Check, controls: ControlMap) -> dict[str, Any]:
    """A check's documentation as data."""
    return {
        "id": check.id,
        "title": check.title,
        "about": check.about,
        "severity": check.severity,
        "risk": check.risk,
        "fix": check.fix,
        **check.extra,
        "parameters": dict(check.params),
        "evidence": [one.id for one in check.evidence],
        "permissions": sorted({permission for one in check.evidence for permission in one.permissions}),
        "requirements": dict(controls.requirements_of(check.id)),
        "controls": [
            {"id": control.id, **{key: value for key, value in vars(link).items() if key != "check"}}
            for control, link in controls.links_of(check.id)
        ],
    }


def print_documentation(check: Check, controls: ControlMap) -> None:
    """A check's documentation, for reading."""
    out = console()
    out.print(check.id, style="bold")
    out.print(f"{check.title} · ", styled(check.severity), sep="")
    if check.about:
        out.print(f"\n{check.about}")
    for name, text in (("Risk", check.risk), ("Fix", check.fix), *check.extra.items()):
        if text:
            out.print(f"\n{name.capitalize()}: {text}")
    if check.params:
        out.print("\nParameters", style="bold")
        table(("name", "default"), [(name, in_yaml(default)) for name, default in check.params.items()])
    out.print("\nReads", style="bold")
    for one in check.evidence:
        out.print(f"{one.id}: {one.doc.partition(chr(10))[0]}")
        out.print(f"  needs {', '.join(one.permissions) or 'nothing'}")
    out.print("\nBears on", style="bold")
    table(
        ("control", "strength", "shows", "why", "does not show"),
        [
            (c.id, link.strength, link.shows, link.because, link.not_shown)
            for c, link in controls.links_of(check.id)
        ],
    )
    bears = controls.requirements_of(check.id)
    if bears:
        out.print("and so on " + ", ".join(f"{id_} ({strength})" for id_, strength in bears.items()))


def _choose(
    found: list[Check],
    controls: ControlMap,
    pattern: str | None,
    platform: str | None,
    severity: str | None,
    requirement: str | None,
) -> list[Check]:
    if requirement and requirement not in controls.requirements:
        raise UserError(f"no requirement {requirement!r}; `collector status` lists them")
    if pattern:
        whole = [check for check in found if check.id == pattern]
        found = whole or [c for c in found if pattern.lower() in c.id or pattern.lower() in c.title.lower()]
    if platform:
        found = [check for check in found if check.platform == platform]
    if severity:
        found = [check for check in found if check.severity.rank >= Severity(severity).rank]
    if requirement:
        bearing = {mapped.check for mapped in controls.checks_of(requirement)}
        found = [check for check in found if check.id in bearing]
    if not found:
        raise UserError("no check fits; `collector checks` lists all")
    return found


def _prove(chosen: list[Check], ledger: Path | None, as_json: bool) -> None:
    from collector.engine import prove
    from collector.engine.run import record_proof

    proofs = list(prove.prove_all(chosen))
    wanting = [proof for proof in proofs if not proof.holds]
    if ledger and ledger.exists():
        record_proof(ledger, chosen, {proof.check for proof in wanting}, utc_now())
    if as_json:
        print_json(
            [
                {"check": one.check, "must_say": one.expected, "of": one.resource, "holds": one.holds}
                for one in proofs
            ]
        )
    else:
        for proof in wanting:
            console().print(proof.sentence, style="red")
        shown = {check.id for check in chosen} - {proof.check for proof in wanting}
        console().print(f"{count(len(shown), 'check')} shown able to pass, to fail and to be not tested")
    sys.exit(1 if wanting else 0)
