"""Text for the cells of CSV and XLSX, and the files that exports are written to."""

from __future__ import annotations

import os
import re
from pathlib import Path

from collector.model import UserError

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot hold."""
LONGEST = 32_767
"""Characters that a cell of a spreadsheet holds."""


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet runs: what would begin a formula has an apostrophe before it."""
    text = _UNWRITABLE.sub("\ufffd", text)
    text = f"'{text}" if text.lstrip(" \n").startswith(_BEGINS_A_FORMULA) else text
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def write_new(file: Path, data: bytes, there: str = "exists already; name a new file") -> None:
    """Writes a file that its owner alone can read; `there` is what is said of one that is there already.

    Raises:
        UserError: it exists already, or cannot be written.
    """
    try:
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            out.write(data)
    except FileExistsError:
        raise UserError(f"{file}: {there}") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be written: {error.strerror}") from None
