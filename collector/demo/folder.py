"""The folder that the demo leaves behind: a commented `config.yaml`, the ledger, and the people's files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from collector.demo import people_company
from collector.demo.aws_company import EXTERNAL_ID, IRELAND, ROLE, VIRGINIA
from collector.demo.company import FIRST
from collector.demo.gcp_company import ORGANIZATION as NUMBER
from collector.demo.github import ORGANIZATION
from collector.model import UserError

HEADER = "# Written by `collector demo`, which replaces this file and the ledger when it runs again."

PEOPLE, REVIEWS = "people.yaml", "access-reviews"

CONFIG = f"""\
{HEADER}
# So it does with {PEOPLE} and {REVIEWS}/.
# Acme is made up, and so are its dates. Every key is explained in config.example.yaml.

organization: Acme

# One SQLite file; the keys that sign it and that secrets are digested with are in ledger.key.
ledger: ledger.db

sources:
  - name: aws
    platform: aws
    # All active accounts that AWS Organizations lists, each read by this role.
    accounts: organization
    role: {ROLE}
    external_id: {EXTERNAL_ID}
    regions: [{IRELAND}, {VIRGINIA}]
    # A stand-in on this machine instead of AWS; it answers while `collector demo --serve` is running.
    endpoint_url: {{aws}}

  - name: github
    platform: github
    organizations: [{ORGANIZATION}]
    # Another stand-in; without this line it would be github.com.
    base_url: {{github}}
    pause: 0

  - name: okta
    platform: okta
    domain: acme.okta.com
    base_url: {{okta}}

  - name: gcp
    platform: gcp
    # All folders and projects below it.
    organizations: ["{NUMBER}"]
    endpoint: {{gcp}}
    grpc_endpoint: {{gcp_grpc}}

  - name: hr
    platform: people
    # Who works here, as HR's system exports it, and the access reviews that were filled in.
    file: {PEOPLE}
    reviews: {REVIEWS}

# Thresholds of checks that Acme sets otherwise than by default; `collector show` says so beside the results.
parameters:
  aws.iam.user_has_no_administrator_rights:
    administrators: [break-glass]
  aws.logs.log_group_keeps_events:
    min_days: 90
  people.directory.person_has_a_manager:
    heads: [{people_company.HEAD}@acme.example]
  people.sign_on.aws_user_of_a_person_has_no_password:
    allowed: [break-glass]
"""


def make(folder: Path) -> bool:
    """Makes the folder, or empties it of an earlier demo; whether there was one.

    Raises:
        UserError: it holds something else, or cannot be made.
    """
    config = folder / "config.yaml"
    try:
        if folder.is_dir() and any(folder.iterdir()):
            if not config.is_file() or not config.read_bytes().startswith(HEADER.encode()):
                raise UserError(
                    f"{folder}: holds something that is not an earlier demo; name another with --directory"
                )
            made = ("ledger.*", "stand-ins.log", PEOPLE, REVIEWS)
            for old in (config, *(one for name in made for one in folder.glob(name))):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            return True
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder}: cannot be made a folder: {error.strerror}; name another with --directory"
        ) from None
    return False


def write_config(folder: Path, addresses: Mapping[str, str]) -> Path:
    """Writes `config.yaml` with the addresses of the stand-ins, and gives its path."""
    file = folder / "config.yaml"
    file.write_text(CONFIG.format_map(addresses), encoding="utf-8")
    return file


def write_people(folder: Path, when: datetime) -> None:
    """Writes HR's file as it is at a run, and the access review that was held before the first."""
    rows = people_company.PEOPLE
    if when > FIRST:
        rows = people_company.changed(rows)
    (folder / PEOPLE).write_text(people_company.people_file(rows, when.date()), encoding="utf-8")
    reviews = folder / REVIEWS
    reviews.mkdir(exist_ok=True)
    review = reviews / f"{people_company.QUARTER}.csv"
    review.write_text(people_company.review_file(), encoding="utf-8")
