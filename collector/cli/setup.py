"""`collector init`, `doctor` and `permissions`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.common import (
    config_option,
    console,
    count,
    json_option,
    load_config,
    load_registry,
    print_json,
    utc_now,
)
from collector.model import UserError

if TYPE_CHECKING:
    from collector.engine.doctor import Finding

MOST_SHOWN = 4
"""Checks named beside what costs them; `doctor --json` names all."""

HEADER = """\
# What is read, and where it is kept. Every key is explained in config.example.yaml.
# Next: `collector doctor` tries each source, `collector permissions PLATFORM` prints what to grant.

organization: {organization}

# One SQLite file; its keys are kept beside it in {ledger_key}.
ledger: {ledger}

sources:
"""

AWS = """\
  - name: {name}
    platform: aws
    # Credentials are found as the AWS CLI finds them (environment, profile, SSO, instance role).
    {profile}
    # `self`, `organization` (all accounts, listed by AWS Organizations), or a list of account ids.
    accounts: {accounts}
    # The role assumed in each account other than the credentials' own; `external_id:` if it asks for one.
    {role}
    # `enabled` (all that an account has on) or a list of regions.
    regions: {regions}
"""

GITHUB = """\
  - name: {name}
    platform: github
    organizations: [{organizations}]
    # The environment variable that holds the token; or `app:` with id and private_key_file.
    token_env: GITHUB_TOKEN
"""

GCP = """\
  - name: {name}
    platform: gcp
    # Application default credentials (user, service account, workload identity); or impersonate an account.
    # impersonate: collector@audit-tools.iam.gserviceaccount.com
    {places}
"""

OKTA = """\
  - name: {name}
    platform: okta
    domain: {domain}
    # The environment variable that holds the API token; or `app:` with client_id and private_key_file.
    token_env: OKTA_API_TOKEN
"""

PEOPLE = """\
  - name: {name}
    platform: people
    # Who works here: CSV or YAML from HR, one person a row (email, start, end, manager, github, aws, ...).
    file: {file}
    # Filled-in access reviews (`collector access-review`) are read back from this folder.
    # reviews: access-reviews
"""

FOOTER = """
# `collector run` exits with 1 if a check of this severity or above fails: low, medium, high, critical.
# fail_on: high

# Thresholds of checks; `collector checks ID` shows a check's parameters.
# parameters:
#   aws.iam.access_keys_are_rotated:
#     max_days: 60
"""


@click.command()
@click.option("--organization", help="The organisation's name.")
@click.option("--aws/--no-aws", default=None, help="Read AWS.")
@click.option("--aws-accounts", help="self, organization, or account ids with commas.")
@click.option("--aws-role", help="Role to assume in each account.")
@click.option("--aws-profile", help="Profile of ~/.aws/config.")
@click.option("--aws-regions", help="enabled, or regions with commas.")
@click.option(
    "--github", "github_organizations", help="GitHub organisations, with commas; none to leave GitHub out."
)
@click.option("--gcp", "gcp_places", help="Google Cloud organisation, folder or project ids, with commas.")
@click.option("--okta", "okta_domain", help="Okta org, such as acme.okta.com.")
@click.option("--people", "people_file", help="File of people from HR, CSV or YAML.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@config_option
def init(config_file: Path, force: bool, **given: Any) -> None:
    """Write a commented config.yaml.

    Asks, on a terminal, what the options do not say. No secret is asked for or written: credentials stay
    where the platforms' own tools keep them.

    \b
    Examples:
      collector init
      collector init --organization Acme --aws --aws-accounts organization --aws-role collector-read \\
          --github acme --okta acme.okta.com --gcp 123456789012 --people people.csv
    """
    if config_file.exists() and not force:
        raise UserError(f"{config_file}: exists already; --force replaces it")
    text = _compose(_Answers(given, ask=sys.stdin.isatty()))
    draft = config_file.with_name(f"{config_file.name}.new")
    try:
        draft.write_bytes(text.encode(errors="replace"))
        load_config(draft)
        draft.replace(config_file)
    except OSError as error:
        raise UserError(f"{config_file}: cannot be written: {error.strerror}") from None
    except UserError as error:
        raise UserError(f"{config_file}: not written: {str(error).partition(': ')[2]}") from None
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"{config_file}: written; `collector doctor` tries it")


class _Answers:
    """What the options say, or the person at the terminal."""

    def __init__(self, given: dict[str, Any], ask: bool) -> None:
        self._given = given
        self._ask = ask

    def wants_aws(self) -> bool:
        """Where nobody can be asked, an option for AWS asks for it."""
        named = any(value for option, value in self._given.items() if option.startswith("aws_"))
        return bool(self.get("aws", "Read AWS?", self._ask or named))

    def get(self, option: str, question: str, default: Any) -> Any:
        value = self._given[option]
        if value is not None:
            return value
        if not self._ask:
            return default
        if isinstance(default, bool):
            return click.confirm(question, default=default)
        return click.prompt(question, default=default, show_default=bool(default))


def _compose(answers: _Answers) -> str:
    organization = answers.get("organization", "Organisation's name", None)
    if not organization:
        raise UserError("--organization is missing; name the organisation")
    parts = [HEADER.format(organization=_quoted(organization), ledger="ledger.db", ledger_key="ledger.key")]
    if answers.wants_aws():
        accounts = answers.get(
            "aws_accounts", "AWS accounts (self, organization, or ids with commas)", "self"
        )
        role = answers.get("aws_role", "Role to assume in each account (empty for none)", "")
        profile = answers.get("aws_profile", "AWS profile (empty for the default chain)", "")
        regions = answers.get("aws_regions", "Regions (enabled, or names with commas)", "enabled")
        parts.append(
            AWS.format(
                name="aws",
                accounts=_listed(accounts, ("self", "organization")),
                regions=_listed(regions, ("enabled",)),
                role=f"role: {_quoted(role)}" if role else "# role: collector-read",
                profile=f"profile: {_quoted(profile)}" if profile else "# profile: audit",
            )
        )
    organizations = answers.get(
        "github_organizations", "GitHub organisations, with commas (empty for none)", ""
    )
    if organizations:
        names = ", ".join(_quoted(one.strip()) for one in organizations.split(","))
        parts.append(GITHUB.format(name="github", organizations=names))
    if places := answers.get("gcp_places", "Google Cloud organisation or project ids (empty for none)", ""):
        parts.append(GCP.format(name="gcp", places=_gcp_places(places)))
    if domain := answers.get("okta_domain", "Okta org, such as acme.okta.com (empty for none)", ""):
        parts.append(OKTA.format(name="okta", domain=_quoted(domain)))
    if file := answers.get("people_file", "File of people from HR (empty for none)", ""):
        parts.append(PEOPLE.format(name="people", file=_quoted(file)))
    if len(parts) == 1:
        raise UserError(
            "nothing to read: choose --aws, --github NAME, --gcp ID, --okta DOMAIN, --people FILE or several"
        )
    return "".join([*parts, FOOTER])


def _gcp_places(answer: str) -> str:
    """Numbers are organisations, `folders/456` folders; everything else is a project."""
    named: dict[str, list[str]] = {"organizations": [], "folders": [], "projects": []}
    for one in (part.strip() for part in answer.split(",")):
        kind, _, number = one.rpartition("/")
        named[kind if kind in named else "organizations" if one.isdigit() else "projects"].append(
            number if kind in named else one
        )
    return "\n    ".join(
        f"{kind}: [{', '.join(_quoted(one) for one in found)}]" for kind, found in named.items() if found
    )


def _listed(answer: str, words: tuple[str, ...]) -> str:
    if answer in words:
        return answer
    return "[" + ", ".join(_quoted(one.strip()) for one in answer.split(",")) + "]"


def _quoted(text: str) -> str:
    """Text as a YAML scalar, quoted where it must be."""
    import yaml

    plain = re.fullmatch(r"[\w./-]+", text) and yaml.safe_load(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)


@click.command()
@click.option("--source", "sources", multiple=True, metavar="NAME", help="Only this source. Repeatable.")
@config_option
@json_option
def doctor(sources: tuple[str, ...], config_file: Path, as_json: bool) -> None:
    """Try each source: is it reachable, who am I there, what is missing and which checks that costs.

    Really reads every evidence, three resources of each, and records nothing. So what it says is what a run
    will meet. Exit status 0 if everything can be read, 3 if not.
    """
    from collector.cli.run import progress_display
    from collector.engine.doctor import examine

    config = load_config(config_file)
    with progress_display() as progress:
        findings = list(examine(config, load_registry(config), frozenset(sources), utc_now, progress))
    if as_json:
        print_json([finding.as_document() for finding in findings])
    else:
        for finding in findings:
            _print_finding(finding)
    sys.exit(3 if any(finding.missing for finding in findings) else 0)


def _print_finding(finding: Finding) -> None:
    out = console()
    out.print(finding.source, style="bold")
    identities = ", ".join(finding.identities) or "nobody: no scope could be opened"
    out.print(f"  {count(finding.scopes, 'scope')} reached; known there as {identities}")
    for problem, checks in finding.missing.items():
        out.print(f"  missing: {problem}", style="yellow")
        shown = ", ".join(sorted(checks)[:MOST_SHOWN])
        more = f" and {len(checks) - MOST_SHOWN} more" if len(checks) > MOST_SHOWN else ""
        costs = f"{count(len(checks), 'check')}: {shown}{more}" if checks else "no check on what was tried"
        out.print(f"    costs {costs}")
    for note in finding.notes:
        out.print(f"  not applicable: {note}", style="dim")
    if not finding.missing:
        out.print("  everything can be read", style="green")


@click.command()
@click.argument("platform")
@click.option(
    "--check", "checks", multiple=True, metavar="ID", help="Only what this check needs. Repeatable."
)
@config_option
def permissions(platform: str, checks: tuple[str, ...], config_file: Path) -> None:
    """Print exactly what must be granted on PLATFORM (aws, gcp, github, okta, people), and nothing more.

    Made from the calls that the evidence declares, which are all that a session lets out: what is not
    printed here cannot be called. With a config.yaml the policy names its roles; without one it is as for
    an organisation's accounts and a role called ROLE.

    \b
    Examples:
      collector permissions aws > policy.json
      collector permissions github
      collector permissions gcp
      collector permissions okta
      collector permissions aws --check aws.s3.is_not_public
    """
    from collector import platforms

    config = load_config(config_file) if config_file.exists() else None
    known = load_registry(config)
    evidence = known.of(platform)
    if checks:
        for check in checks:
            if check not in known.checks:
                raise UserError(f"no check {check!r}; `collector checks` lists them")
        evidence = [
            one for check in checks for one in known.checks[check].evidence if one.platform == platform
        ]
        if not evidence:
            raise UserError(f"{', '.join(checks)} reads nothing on {platform}")
    sources = [one.options for one in (config.sources if config else ()) if one.platform == platform]
    click.echo(platforms.load(platform).permissions(evidence, sources))
