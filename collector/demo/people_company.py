"""The people of the demo's company, as HR's system has them at each run, and a review of their access.

Hana leaves in March, and only Okta hears of it at once. Dana leaves too, and is gone from AWS in time. Mia
has an account in Okta before HR knows of her. Nobody wrote down whose `ci-staging` is, nor who Zoe is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

from collector.demo import okta_company
from collector.demo.aws_company import MANAGEMENT, PRODUCTION, STAGING
from collector.demo.gcp_company import ORGANIZATION, PROJECTS
from collector.demo.gcp_company import PRODUCTION as FOLDER
from collector.platforms.people import REVIEWED

Row = dict[str, Any]

QUARTER = "2025Q4"
"""The quarter whose access is reviewed: the last one at both runs."""

HEAD = "ines"


def person(name: str, start: str, manager: str = "", **more: Any) -> Row:
    """A row of HR's file, by the name before the @."""
    row: Row = {
        "email": f"{name}@acme.example",
        "name": name.capitalize(),
        "start": date.fromisoformat(start),
    }
    return row | ({"manager": f"{manager}@acme.example"} if manager else {}) | more


def service(name: str, manager: str, **more: Any) -> Row:
    """A row for an account that works for no person."""
    return {"email": f"{name}@acme.example", "kind": "service", "manager": f"{manager}@acme.example", **more}


PEOPLE: tuple[Row, ...] = (
    person("ines", "2020-01-01"),
    person("gus", "2021-06-01", "ines", github="gus"),
    person("ada", "2021-03-01", "gus", github="ada", aws="ada", administers=["gcp", "github", "okta"]),
    person("bob", "2021-03-01", "gus", github="bob", aws="bob", administers=["gcp", "github", "okta"]),
    person("cem", "2022-05-02", "ada", github="cem"),
    person("dana", "2022-09-01", "ada", aws="dana"),
    person("dia", "2022-02-01", "ada", github="dia"),
    person("eve", "2023-01-09", "ada", github="eve"),
    person("finn", "2023-05-02", "ada", github="finn"),
    person("hana", "2023-10-02", "dia", github="hana"),
    person("ian", "2022-11-01", "dia", end=date(2025, 12, 12)),
    person("ivo", "2026-02-02", "bob", aws="intern"),
    person("jon", "2020-08-03", "ines"),
    person("kai", "2021-10-01", "ines", administers=["okta"]),
    person("lou", "2022-03-01", "ines"),
    person("max", "2023-03-01", "kai", end=date(2025, 11, 28)),
    service("backup", "bob"),
    service("break-glass", "ada", aws="break-glass", administers=["aws"]),
    service("ci-deploy", "bob", aws="ci-deploy"),
    service("collector", "gus", aws="collector", administers=["okta"]),
    service("legacy-reports", "eve", aws="legacy-reports"),
    service("mailer", "dia", aws="mailer"),
)
"""Who is known at the first run."""

LEFT = {"hana@acme.example": date(2026, 3, 20), "dana@acme.example": date(2026, 3, 24)}
JOINED = person("mia", "2026-04-01", "ines")


def changed(before: tuple[Row, ...]) -> tuple[Row, ...]:
    """The rows four weeks later."""
    leaving = [row | ({"end": LEFT[row["email"]]} if row["email"] in LEFT else {}) for row in before]
    return (*leaving, JOINED)


def people_file(rows: tuple[Row, ...], as_of: date) -> str:
    """HR's file, which says itself of which day it speaks."""
    import yaml

    lines = [yaml.safe_dump(row, default_flow_style=True, sort_keys=False, width=1000) for row in rows]
    return f"as_of: {as_of}\npeople:\n" + "".join(f"  - {line}" for line in lines)


# --- the review of the last quarter


def review_file() -> str:
    """The access review of the quarter, as it was filled in: CSV with the columns that the source reads."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, REVIEWED, lineterminator="\n")
    writer.writeheader()
    for platform, scope, key, account in _accounts():
        owner = _owner(platform, account)
        line = {"quarter": QUARTER, "platform": platform, "scope": scope, "account": account, "key": key}
        line |= {"person": owner.get("email", ""), "reviewer": owner.get("manager", f"{HEAD}@acme.example")}
        line |= {"decision": "keep", "decided": "2026-01-14"}
        writer.writerow(line | DECIDED.get((platform, account), {}))
    return out.getvalue()


DECIDED: dict[tuple[str, str], dict[str, str]] = {
    ("aws", "ci-staging"): {"reviewer": "bob@acme.example"},
    ("aws", "legacy-reports"): {"decision": "change"},
    ("gcp", "ian@acme.example"): {"decision": "revoke", "decided": "2026-01-19"},
    ("gcp", "zoe@studio.example"): {"reviewer": "dia@acme.example"},
    ("github", "zoe"): {"reviewer": "dia@acme.example", "decision": "revoke", "decided": "2026-01-19"},
    ("okta", "ada@acme.example"): {"reviewer": "ada@acme.example"},
    ("okta", "ines@acme.example"): {"reviewer": "gus@acme.example"},
    ("okta", "jon@acme.example"): {"decision": "", "decided": ""},
}
"""Where it was not the manager who decided to keep it. Ian's rights went in March; Zoe still has hers."""

AWS_USERS = {
    MANAGEMENT: ("break-glass",),
    PRODUCTION: ("ada", "bob", "ci-deploy", "dana", "legacy-reports", "mailer"),
    STAGING: ("ci-staging",),
}
"""Who was there at the end of the quarter, by account."""

GCP_MEMBERS = {
    f"organizations/{ORGANIZATION}": ("ada@acme.example", "bob@acme.example"),
    f"folders/{FOLDER}": ("ian@acme.example",),
    "acme-data": ("eve@acme.example", "hana@acme.example"),
    "acme-prod": ("cem@acme.example", "gus@acme.example", "zoe@studio.example"),
    "acme-sandbox": ("dia@acme.example", "finn@acme.example", "ian@acme.example"),
    "acme-staging": ("zoe@studio.example",),
}
GITHUB_MEMBERS = ("ada", "bob", "cem", "dia", "eve", "finn", "gus", "hana", "zoe")
OKTA_USERS = (*sorted({*okta_company.PEOPLE} - {"max", "mia"}), *okta_company.SERVICES)
"""Who was there at the end of the quarter."""


def _accounts() -> Iterator[tuple[str, str, str, str]]:
    """Platform, scope, key and name of each account at the end of the quarter."""
    for account, names in AWS_USERS.items():
        for name in names:
            yield "aws", f"aws:{account}", f"arn:aws:iam::{account}:user/{name}", name
    for place, names in GCP_MEMBERS.items():
        scope, node = f"gcp:organizations/{ORGANIZATION}", place
        if place in PROJECTS:
            scope, node = f"{scope}/{place}", f"projects/{PROJECTS[place]}"
        for name in names:
            yield "gcp", scope, f"//cloudresourcemanager.googleapis.com/{node}", name
    for name in GITHUB_MEMBERS:
        yield "github", "github:acme", f"https://github.com/{name}", name
    for name in OKTA_USERS:
        key = f"{okta_company.HOST}/api/v1/users/{okta_company.identity(name)}"
        yield "okta", "okta:acme.okta.com", key, f"{name}@acme.example"


def _owner(platform: str, account: str) -> Row:
    """The row of whose an account is; an empty one for nobody's."""
    return next((row for row in PEOPLE if account in (row["email"], row.get(platform))), {})
