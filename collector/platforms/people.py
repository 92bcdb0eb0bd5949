"""The people of the organisation, from a file that HR keeps: CSV or YAML, one person a row.

A scope is the file. Besides, a folder of access reviews that were filled in (CSV or XLSX, as
`collector access-review` wrote them) is read back.

    email,name,start,end,manager,github,aws,administers
    ada@acme.example,Ada,2021-03-01,,gus@acme.example,ada,ada,aws github
    finn@acme.example,Finn,2022-05-01,2026-03-13,ada@acme.example,finn,,

Of each row the columns in `COLUMNS` are kept and no others: a file of HR may hold what is nobody's business.
A column named after a platform holds what the person is called there (a login, a user name, an ARN), several
separated by spaces. `administers` names the platforms on which they may be an administrator.
"""

from __future__ import annotations

import csv
import getpass
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from collector.model import Call, Gap, NotCollected, NotCollectedError, Reason, Scope
from collector.platforms import CallLog, Context, refuse_undeclared

if TYPE_CHECKING:
    from collector.sdk import Evidence

COLUMNS = ("email", "name", "kind", "start", "end", "manager", "administers")
"""What is kept of a person, beside what they are called on each platform."""

KINDS = ("person", "service")
"""A row stands for a person, or for an account that works for none: then `manager` answers for it."""

ACCOUNTS = ("aws", "gcp", "github", "okta")
"""Columns of what somebody is called on a platform. More are taken from `accounts` of the source."""

REVIEWED = (
    "quarter",
    "platform",
    "scope",
    "account",
    "key",
    "person",
    "reviewer",
    "decision",
    "decided",
)
"""The columns that a filled-in access review must have."""

SHEET = "Access review"
"""The sheet of a workbook that holds the review."""

CALLS = ("read file", "read reviews")

LARGEST = 50_000_000
"""Bytes of a file at most: 100,000 people are 10 MB."""

BEHIND_APOSTROPHE = re.compile("^'(?=[=+@-])")
"""How text that looks like a formula was written into the review."""

EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")


class Options(BaseModel):
    """The keys of a people source in `config.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path = Field(description="CSV or YAML file of people; relative to config.yaml")
    reviews: Path | None = Field(None, description="Folder of filled-in access reviews, CSV or XLSX")
    max_age: int = Field(
        35, ge=1, strict=True, description="Days after which the file is too old to tell who works here"
    )
    accounts: tuple[str, ...] = Field(
        (), description="Further columns of what somebody is called on a platform, by the platform's name"
    )


def plan(source: str, options: Options) -> Iterator[Scope | Gap]:
    """The file, as the one scope of its source.

    Raises:
        NotCollectedError: it cannot be read.
    """
    _read(options.file)
    yield Scope(source, "people", "directory", options.file.name)


def open_session(options: Options, scope: Scope, context: Context) -> PeopleSession:
    """A session on the file and the folder of reviews."""
    return PeopleSession(options)


def classify(error: Exception) -> NotCollected | None:
    """The reason for an error of this module; None for any other."""
    return NotCollected(error.reason, error.detail) if isinstance(error, NotCollectedError) else None


def permissions(evidence: Iterable[Evidence], sources: Iterable[Options] = ()) -> str:
    """What the user that runs the collector must be able to read."""
    files = [str(place) for one in sources for place in (one.file, one.reviews) if place]
    where = ", ".join(files) or "the people file and the folder of access reviews that `config.yaml` names"
    return f"Read access, for the user that runs the collector, to: {where}"


class PeopleSession:
    """A file of people and a folder of reviews, read as they are now."""

    def __init__(self, options: Options) -> None:
        self.identity = f"file system user {_user()}"
        self.endpoint = str(options.file)
        self.stated: int | None = None
        self.max_age = options.max_age
        self._options = options
        self._allowed: frozenset[str] = frozenset()
        self._log = CallLog()

    def begin(self, evidence: Evidence) -> None:
        """From here on only what `evidence` declares is read; starts a new list of calls."""
        if unknown := [call for call in evidence.calls if call not in CALLS]:
            raise ValueError(f"{evidence.id} declares {', '.join(unknown)}; known: {', '.join(CALLS)}")
        self._allowed = frozenset(evidence.calls)
        self._log = CallLog()
        self.stated = None

    def calls(self) -> tuple[Call, ...]:
        return self._log.summary()

    def close(self) -> None:
        """Nothing to give back: files are read whole."""

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each person: `email`, `name`, `kind`, `start` and `end` (ISO dates or None), `manager`,
        `administers` (a list), `accounts` (a list of names by platform).

        Raises:
            NotCollectedError: after all that can be read, if a row cannot, or an e-mail stands twice.
        """
        content = self._content("read file", self._options.file)
        seen: set[str] = set()
        wrong = ""
        rows = list(_rows(self._options.file, content))
        self.stated = len(rows)
        columns = (*ACCOUNTS, *self._options.accounts)
        for line, row in rows:
            try:
                person = _person(row, columns)
                if person["email"] in seen:
                    raise ValueError(f"{person['email']} stands twice")
            except ValueError as error:
                wrong = wrong or f"{self._options.file.name}: row {line}: {error}"
                continue
            seen.add(person["email"])
            yield person
        if wrong:
            raise NotCollectedError(Reason.MALFORMED, wrong)

    def file(self) -> dict[str, Any]:
        """Of the file: `AsOf`, the day it speaks of, and `People`, how many rows it has.

        A YAML file says so itself (`as_of`); of any other it is the day it was last written.
        """
        content = self._content("read file", self._options.file)
        said = _as_of(self._options.file, content)
        return {
            "AsOf": said or _modified(self._options.file).date().isoformat(),
            "People": len(list(_rows(self._options.file, content))),
        }

    def reviews(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Each line of each filled-in review: its file's name, and the columns in `REVIEWED` as text.

        Raises:
            NotCollectedError: after all that can be read, if a file cannot.
        """
        folder = self._options.reviews
        if folder is None:
            return
        if not folder.is_dir():
            raise NotCollectedError(Reason.UNREACHABLE, f"{folder.name}: no such folder")
        wrong = ""
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() not in (".csv", ".xlsx") or file.name.startswith((".", "~")):
                continue
            try:
                lines = list(_review(file, self._content("read reviews", file)))
            except NotCollectedError as error:
                wrong = wrong or error.detail
                continue
            yield from ((file.name, line) for line in lines)
        if wrong:
            raise NotCollectedError(Reason.MALFORMED, wrong)

    def _content(self, call: str, file: Path) -> bytes:
        refuse_undeclared(call, self._allowed)
        content = _read(file)
        params = {"file": file.name, "sha256": hashlib.sha256(content).hexdigest()}
        self._log.add(call, params, format_datetime(_modified(file), usegmt=True), "")
        return content


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise NotCollectedError(Reason.MALFORMED, f"{file.name}: larger than {LARGEST:,} bytes")
        return file.read_bytes()
    except FileNotFoundError:
        raise NotCollectedError(Reason.UNREACHABLE, f"{file.name}: no such file") from None
    except PermissionError:
        raise NotCollectedError(Reason.DENIED, f"{file.name}: may not be read by this user") from None
    except OSError as error:
        raise NotCollectedError(Reason.UNREACHABLE, f"{file.name}: {error.strerror}") from None


def _modified(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _text(file: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotCollectedError(Reason.MALFORMED, f"{file.name}: not UTF-8; save it as such") from None


def _document(file: Path, content: bytes) -> Any:
    import yaml

    try:
        return yaml.safe_load(_text(file, content))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        said = " ".join(str(error).split())
        raise NotCollectedError(Reason.MALFORMED, f"{file.name}: not valid YAML: {said}") from None


def _is_yaml(file: Path) -> bool:
    return file.suffix.lower() in (".yaml", ".yml")


def _as_of(file: Path, content: bytes) -> str | None:
    document = _document(file, content) if _is_yaml(file) else None
    said = document.get("as_of") if isinstance(document, dict) else None
    try:
        return _day(said)
    except ValueError as error:
        raise NotCollectedError(Reason.MALFORMED, f"{file.name}: as_of: {error}") from None


def _rows(file: Path, content: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Each row with its number: the line of a CSV file, the place in a YAML file's list.

    Raises:
        NotCollectedError: the file is no table of people.
    """
    if _is_yaml(file):
        document = _document(file, content)
        listed = document.get("people") if isinstance(document, dict) else document
        if not isinstance(listed, list):
            raise NotCollectedError(Reason.MALFORMED, f"{file.name}: expected a list of people")
        yield from enumerate((one if isinstance(one, dict) else {} for one in listed), 1)
        return
    names, rows = _table(file, content)
    if "email" not in names:
        raise NotCollectedError(Reason.MALFORMED, f"{file.name}: the first line names no column `email`")
    yield from rows


def _table(file: Path, content: bytes) -> tuple[list[str], list[tuple[int, dict[str, Any]]]]:
    """The column names and the rows of a CSV file, each row with the line that it ends on.

    Separated by commas, semicolons or tabs, by what the first line has most of.
    """
    text = _text(file, content)
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        rows = [(reader.line_num, dict(zip(names, row, strict=False))) for row in reader if any(row)]
    except csv.Error as error:
        raise NotCollectedError(Reason.MALFORMED, f"{file.name}: line {reader.line_num}: {error}") from None
    return names, rows


def _person(row: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """A row as it is kept.

    Raises:
        ValueError: it has no e-mail address, or a value that is none of its kind.
    """
    email = _cell(row, "email").lower()
    if not EMAIL.match(email):
        raise ValueError(f"{email!r} is no e-mail address" if email else "there is no e-mail address")
    kind = _cell(row, "kind").lower() or "person"
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; known: {', '.join(KINDS)}")
    start, end = (_day(row.get(name)) for name in ("start", "end"))
    if start and end and end < start:
        raise ValueError(f"end {end} lies before start {start}")
    return {
        "email": email,
        "name": _cell(row, "name"),
        "kind": kind,
        "start": start,
        "end": end,
        "manager": _cell(row, "manager").lower(),
        "administers": [one.lower() for one in _several(row.get("administers"))],
        "accounts": {column: names for column in columns if (names := _several(row.get(column)))},
    }


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else " ".join(str(value).split())


def _several(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(one).strip() for one in value if str(one).strip()]
    return re.split(r"[\s,;]+", str(value).strip()) if value is not None and str(value).strip() else []


def _day(value: Any) -> str | None:
    """A date as ISO 8601; None for none.

    Raises:
        ValueError: it is no date.
    """
    if value is None or not str(value).strip():
        return None
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError:
        raise ValueError(f"{str(value).strip()!r} is no date; write it as 2026-03-31") from None


def _review(file: Path, content: bytes) -> Iterator[dict[str, str]]:
    """The lines of a review that was filled in.

    Raises:
        NotCollectedError: it is no such file.
    """
    names, rows = _sheet(file, content) if file.suffix.lower() == ".xlsx" else _table(file, content)
    if lacking := [name for name in REVIEWED if name not in names]:
        what = f"{file.name}: no access review: it has no column {', '.join(lacking)}"
        raise NotCollectedError(Reason.MALFORMED, what)
    for _, row in rows:
        line = {name: BEHIND_APOSTROPHE.sub("", _cell(row, name)) for name in REVIEWED}
        if any(line.values()):
            yield line


def _sheet(file: Path, content: bytes) -> tuple[list[str], list[tuple[int, dict[str, Any]]]]:
    """The column names and the rows of a workbook's review, or of its first sheet."""
    import zipfile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(one.file_size for one in archive.infolist()) > LARGEST:
                raise ValueError(f"unpacked it is larger than {LARGEST:,} bytes")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
        table = [[_plain(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, IndexError, ValueError, OSError) as error:
        said = " ".join(str(error).split())
        raise NotCollectedError(Reason.MALFORMED, f"{file.name}: cannot be opened: {said}") from None
    names = [str(name or "").strip().lower() for name in (table or [[]])[0]]
    return names, [(line, dict(zip(names, row, strict=False))) for line, row in enumerate(table[1:], 2)]


def _plain(cell: Any) -> Any:
    return cell.date().isoformat() if isinstance(cell, datetime) else cell
