"""Text for the cells of CSV and XLSX, and the files that exports are written to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
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
    text = printable(text)
    text = f"'{text}" if text.lstrip(" \n").startswith(_BEGINS_A_FORMULA) else text
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def printable(text: str) -> str:
    """The text without what XML 1.0 cannot hold."""
    return _UNWRITABLE.sub("\ufffd", text)


def write_new(
    file: Path, data: bytes | Iterable[bytes], there: str = "exists already; name a new file"
) -> None:
    """Writes a file that its owner alone can read; `there` is what is said of one that is there already.

    What cannot be written whole is not left behind.

    Raises:
        UserError: it exists already, or cannot be written.
    """
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise UserError(f"{file}: {there}") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as out:
            for part in (data,) if isinstance(data, bytes) else data:
                out.write(part)
    except BaseException as error:
        file.unlink()
        if isinstance(error, OSError):
            raise UserError(f"{file}: cannot be written: {error.strerror}") from None
        raise
