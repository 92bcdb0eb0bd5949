"""A made-up programme: two firms, three auditors, two audits a year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

import mappings
from collector.audit import auditors
from collector.audit.auditors import Programme

KNOWN = mappings.load()

ANN = {"name": "Ann Lee", "firm": "Northlight", "competence": "ISO 27001 lead auditor", "days": 20}
BO = {"name": "Bo Berg", "firm": "Acme", "competence": "CISA, ten years of cloud operation", "days": 10}


def document(**changed: Any) -> dict[str, Any]:
    """What stands under `audit:`."""
    return {
        "certification_body": "Norske Cert AS",
        "cycle_start": 2026,
        "auditors": [ANN, BO],
        "audits": [
            {"name": "spring", "from": "2026-04-13", "to": "2026-04-24"},
            {"name": "autumn", "from": "2026-10-12", "to": "2026-10-23"},
        ],
        **changed,
    }


def written(folder: Path, **changed: Any) -> Path:
    file = folder / "programme.yaml"
    # As YAML of which every value stands on a line of its own; dates unquoted, as people write them.
    text = yaml.safe_dump({"audit": document(**changed)}, sort_keys=False)
    file.write_text(text.replace("'20", "20").replace("'\n", "\n"), encoding="utf-8")
    return file


def programme(**changed: Any) -> Programme:
    return auditors.of(document(**changed))
