"""`config.yaml` as a typed `Config`. An error names the file, the line and the fix.

The keys of a source that belong to its platform are declared by the platform's `Options`.
"""

from __future__ import annotations

import difflib
import json
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, Self, TypeVar, get_args

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    create_model,
    field_validator,
    model_validator,
)

from collector import platforms
from collector.model import Freshness, Severity, UserError
from collector.registry import Registry

DEEPEST = 20
"""No key stands deeper; an alias that contains itself would have no end."""

EXACT = 2**53
"""From here on JSON does not keep a number exactly (RFC 8785), and infinity not at all."""

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


SPAN = r"^[1-9]\d{0,5}[smhdw]$"
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _span(value: Any) -> timedelta:
    """A length of time as people write it: `90s`, `15m`, `6h`, `1d`, `2w`."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not re.fullmatch(SPAN[1:-1], value):
        raise ValueError(
            f"{value!r} is no length of time; give a number and a unit, such as 6h: s, m, h, d or w"
        )
    return timedelta(**{UNITS[value[-1]]: int(value[:-1])})


Span = Annotated[
    timedelta, BeforeValidator(_span), WithJsonSchema({"type": "string", "pattern": SPAN, "examples": ["6h"]})
]


def _endpoint(value: Any) -> Any:
    if value is not False and not (isinstance(value, str) and re.fullmatch(HOST_AND_PORT, value)):
        raise ValueError(f"endpoint: {value!r} is no host and port; give such as 127.0.0.1:9469, or false")
    return value


HOST_AND_PORT = r"^[^\s:]+:\d{1,5}$"
Endpoint = Annotated[
    str | Literal[False],
    BeforeValidator(_endpoint),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": HOST_AND_PORT}, {"const": False}]}),
]


class Source(BaseModel):
    """One configured connection to a platform. `options` are the platform's own keys, already checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=NAME_PATTERN, description="What you call it; part of every scope's key")
    platform: str = Field(description="What kind of system it is: aws, gcp, github, okta, ...")
    options: Any = Field(exclude=True)


class Timing(BaseModel):
    """When something is read, and what: by cron or by interval, all or some of the sources and evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cron: str | None = Field(
        None, description="Minute, hour, day, month and weekday, in the schedule's time zone"
    )
    every: Span | None = Field(None, description="An interval, counted from midnight UTC of 1 January 1970")
    sources: tuple[str, ...] = Field((), description="Only these sources; all if left out")
    evidence: tuple[str, ...] = Field((), description="Only this evidence and what its checks need")

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.cron is None) == (self.every is None):
            raise ValueError('give either cron: (such as "0 2 * * *") or every: (such as 6h)')
        if self.every and self.every < timedelta(minutes=1):
            raise ValueError("every: is at least a minute, 1m")
        return self


class Schedule(BaseModel):
    """When `collector schedule` and `collector run --due` read what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runs: dict[Annotated[str, Field(pattern=NAME_PATTERN)], Timing] = Field(
        min_length=1, description="What is read when, by a name of yours"
    )
    time_zone: str = Field("UTC", description="The time zone that cron expressions are in")
    jitter: Span | None = Field(None, description="A run begins up to so much later, each time by another")
    late_after: Span = Field(
        timedelta(hours=1),
        description="A run that begins later than this is recorded as missed, and caught up",
        json_schema_extra={"default": "1h"},
    )
    grace: Span = Field(
        timedelta(minutes=5),
        description="How long a run in hand may go on when the schedule is stopped",
        json_schema_extra={"default": "5m"},
    )
    endpoint: Endpoint = Field(
        "127.0.0.1:9469", description="Where health and metrics are served; false for nowhere"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            known = zoneinfo.available_timezones()
            raise ValueError(
                f"no time zone {name!r}{_meant(name, known) or ', such as Europe/Berlin'}"
            ) from None
        return name


class Config(BaseModel):
    """The whole of `config.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    organization: str = Field(min_length=1, description="The organisation whose controls these are")
    ledger: Path = Field(Path("ledger.db"), description="The ledger's file; relative to config.yaml")
    sources: tuple[Source, ...] = Field(description="What is read")
    parameters: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Thresholds of checks, by check id and parameter"
    )
    check_paths: tuple[Path, ...] = Field((), description="Folders with check modules of your own")
    mapping_paths: tuple[Path, ...] = Field(
        (), description="Folders with requirements and controls of your own"
    )
    soa: Path | None = Field(None, description="The Statement of Applicability; relative to config.yaml")
    programme: Path | None = Field(
        None,
        description="The internal audit programme: auditors, risk ratings, audits; relative to config.yaml",
    )
    fail_on: Severity | None = Field(
        None, description="`run` exits with 1 if a check of this severity or above fails"
    )
    workers: int = Field(
        8, ge=1, le=256, strict=True, description="Scopes of one source read at the same time"
    )
    schedule: Schedule | None = Field(None, description="When what is read, unattended")
    freshness: dict[str, Span] = Field(
        default_factory=dict,
        description="For how long what was read speaks on, by evidence id; by `default` for the others (1d)",
    )
    timestamp_url: str | None = Field(None, description="An RFC 3161 authority that time-stamps each run")
    file: Path = Field(Path("config.yaml"), exclude=True)

    def line(self, *path: str | int) -> str:
        """`file:line` of a key, to name in a message."""
        return _Lines(self.file).at(path)

    def freshness_of(self, registry: Registry) -> Freshness:
        """For how long what is read speaks on.

        Raises:
            UserError: an evidence does not exist.
        """
        own = dict(self.freshness)
        usual = own.pop("default", Freshness().usual)
        self.must_exist(registry, own, "freshness")
        return Freshness(usual, own)

    def must_exist(self, registry: Registry, evidence: Iterable[str], *path: str | int) -> None:
        """Refuses evidence that is named under a key and does not exist.

        Raises:
            UserError: which, and where.
        """
        for id_ in evidence:
            if id_ not in registry.evidence:
                where = self.line(*path, id_)
                raise UserError(f"{where}: no evidence {id_!r}{_meant(id_, registry.evidence)}")

    def parameters_of(self, registry: Registry) -> dict[str, dict[str, Any]]:
        """The thresholds that differ from the checks' defaults.

        Raises:
            UserError: a check or parameter does not exist, or a value is of another type than the default.
        """
        lines = _Lines(self.file)
        for check_id, values in self.parameters.items():
            at = ("parameters", check_id)
            check = registry.checks.get(check_id)
            if check is None:
                raise UserError(f"{lines.at(at)}: no check {check_id!r}{_meant(check_id, registry.checks)}")
            for name, value in values.items():
                where = lines.at((*at, name))
                if name not in check.params:
                    known = _meant(name, check.params) or f"; it has {', '.join(check.params) or 'none'}"
                    raise UserError(f"{where}: {check_id} has no parameter {name!r}{known}")
                default = check.params[name]
                if not _fits(value, default):
                    example = json.dumps(list(default) if isinstance(default, tuple) else default)
                    raise UserError(
                        f"{where}: {check_id}: {name} is {value!r}; give a {_type_name(default)}, such as"
                        f" {example}"
                    )
        return self.parameters


def load(file: Path) -> Config:
    """Reads and checks a configuration file.

    Raises:
        UserError: it cannot be read, or something in it is wrong: file, line, what was meant.
    """
    document = _read(file)
    lines = _Lines(file)
    if not isinstance(document, dict):
        raise UserError(
            f"{file}:1: expected keys such as organization: and sources:; see config.example.yaml"
        )
    if "file" in document:
        raise UserError(_unknown_key(lines.at(("file",)), "file", Config))
    document = _given(document)
    if isinstance(sources := document.get("sources"), list):
        checked = [_source(lines, number, source) for number, source in enumerate(sources)]
        document = {**document, "sources": checked}
    try:
        config = Config.model_validate({**document, "file": file})
    except ValidationError as error:
        raise UserError(_explain(lines, (), error, Config)) from None
    names = [source.name for source in config.sources]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise UserError(
                f"{lines.at(('sources', number, 'name'))}: two sources are named {name!r}; rename one"
            )
    for name, timing in config.schedule.runs.items() if config.schedule else ():
        for number, source in enumerate(timing.sources):
            if source not in names:
                where = lines.at(("schedule", "runs", name, "sources", number))
                raise UserError(f"{where}: no source {source!r}; the file has {', '.join(names)}")
    folders = {
        key: tuple(_place(lines, (key, number), path) for number, path in enumerate(getattr(config, key)))
        for key in ("check_paths", "mapping_paths")
    }
    files = {
        key: _place(lines, (key,), path)
        for key in ("ledger", "soa", "programme")
        if (path := getattr(config, key)) is not None
    }
    return config.model_copy(update={**files, **folders})


class Document(Generic[M]):
    """Another YAML file, read as strictly as `config.yaml`. `at` gives `file:line` of a key in it."""

    def __init__(self, file: Path, model: type[M], *, see: str, missing: str) -> None:
        """Reads it.

        Args:
            see: the page that explains its keys.
            missing: how one comes to have the file.

        Raises:
            UserError: it cannot be read, or something in it is wrong: file, line, what was meant.
        """
        if not file.exists():
            raise UserError(f"{file}: no such file; {missing}")
        document = _read(file)
        self._lines = _Lines(file)
        if not isinstance(document, dict):
            known = " and ".join(f"{key}:" for key in model.model_fields)
            raise UserError(f"{file}:1: expected the key {known}; see {see}")
        try:
            self.content: M = model.model_validate(_given(document))
        except ValidationError as error:
            raise UserError(_explain(self._lines, (), error, model, see=see)) from None

    def at(self, *path: str | int) -> str:
        return self._lines.at(path)


def schema() -> dict[str, Any]:
    """A JSON Schema of `config.yaml`, for editors."""
    by_platform = [
        create_model(
            f"{name.title()}Source",
            __base__=platforms.load(name).Options,
            name=(str, Source.model_fields["name"]),
            platform=(str, Field(json_schema_extra={"const": name})),
        ).model_json_schema()
        for name in platforms.names()
    ]
    whole = Config.model_json_schema()
    whole["properties"].pop("file", None)
    definitions = whole.setdefault("$defs", {})
    definitions.pop("Source", None)
    for schema_ in by_platform:
        definitions |= schema_.pop("$defs", {})
    whole["properties"]["sources"]["items"] = {"anyOf": by_platform}
    return json.loads(json.dumps(whole, default=str))  # type: ignore[no-any-return]


def _source(lines: _Lines, number: int, source: Any) -> Any:
    at = ("sources", number)
    if not isinstance(source, Mapping):
        raise UserError(f"{lines.at(at)}: a source is a mapping with name: and platform:")
    if (name := source.get("platform")) is None:
        raise UserError(f"{lines.at(at)}: the source has no platform:; known: {', '.join(platforms.names())}")
    name = str(name)
    try:
        platform = platforms.load(name)
    except UserError as error:
        raise UserError(f"{lines.at((*at, 'platform'))}: {error}{_meant(name, platforms.names())}") from None
    own = {key: value for key, value in _given(source).items() if key not in ("name", "platform")}
    try:
        options = platform.Options.model_validate(own)
    except ValidationError as error:
        raise UserError(_explain(lines, at, error, platform.Options, Source)) from None
    options = _placed(lines, at, options)
    return {key: source[key] for key in ("name", "platform") if key in source} | {"options": options}


def _placed(lines: _Lines, at: tuple[str | int, ...], options: BaseModel) -> BaseModel:
    """Options with their paths as seen from the configuration's folder."""
    given = {name: getattr(options, name) for name in options.model_fields_set}
    return options.model_copy(
        update={
            name: _place(lines, (*at, name), value)
            if isinstance(value, Path)
            else _placed(lines, (*at, name), value)
            for name, value in given.items()
            if isinstance(value, Path | BaseModel)
        }
    )


def _place(lines: _Lines, at: tuple[str | int, ...], path: Path) -> Path:
    """A path as the user wrote it: from their home folder, from the root, or from the file's folder."""
    try:
        return lines.file.parent / path.expanduser()
    except RuntimeError:
        raise UserError(f"{lines.at(at)}: there is no home folder {path.parts[0]}; write it out") from None


class _Loader(yaml.SafeLoader):
    """Takes keys as they are written, `on:` too; says where a value stands that is no date or number."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise yaml.MarkedYAMLError(problem=f"{error}; quote it", problem_mark=node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


def parse_yaml(file: Path, parse: Callable[[bytes], T], writes_one: str) -> T:
    """What `parse` makes of a YAML file.

    Args:
        writes_one: the command that writes such a file, for whoever has none.

    Raises:
        UserError: there is no such file, or it cannot be read or is not YAML; names the line.
    """
    try:
        return parse(file.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{file}: no such file; `{writes_one}` writes one") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise UserError(f"{file}: not valid YAML: brackets within brackets without end") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = " ".join(str(getattr(error, "problem", error)).split())
        advice = "; indent with spaces" if "'\\t'" in problem else ""
        raise UserError(f"{file}{line}: not valid YAML: {problem}{advice}") from None


def _read(file: Path) -> Any:
    return parse_yaml(file, lambda text: yaml.load(text, Loader=_Loader), "collector init")  # noqa: S506 - safe


def _given(document: Mapping[Any, Any]) -> dict[Any, Any]:
    """The keys that say something. One without a value, all of it commented out, is as if left out."""
    return {key: value for key, value in document.items() if value is not None}


class _Lines:
    """The line at which each key of a YAML file stands.

    Raises:
        UserError: a key stands twice; YAML would keep the last without a word.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lines: dict[tuple[str | int, ...], int] = {}
        self._walk(yaml.compose(file.read_bytes(), Loader=yaml.SafeLoader) if file.exists() else None, ())

    def at(self, path: tuple[str | int, ...]) -> str:
        """`file:line` of a key, or of the nearest thing around it that stands in the file."""
        while path and path not in self._lines:
            path = path[:-1]
        return f"{self.file}:{self._lines.get(path, 1)}"

    def _walk(self, node: yaml.Node | None, path: tuple[str | int, ...]) -> None:
        if len(path) > DEEPEST:
            return
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if (*path, key.value) in self._lines:
                    raise UserError(
                        f"{self.file}:{key.start_mark.line + 1}: {key.value}: stands on line"
                        f" {self._lines[*path, key.value]} already; remove one"
                    )
                self._lines[(*path, key.value)] = key.start_mark.line + 1
                self._walk(value, (*path, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                self._lines[(*path, number)] = item.start_mark.line + 1
                self._walk(item, (*path, number))


def _explain(
    lines: _Lines,
    at: tuple[str | int, ...],
    error: ValidationError,
    *models: type[BaseModel],
    see: str = "config.example.yaml",
) -> str:
    """One problem, in one line: of the ways in which a value could be right, that which fits furthest.

    Before what is missing comes what is unknown: it may be the same key, misspelt.
    """
    problem = max(error.errors(), key=lambda one: (len(one["loc"]), one["type"] == "extra_forbidden"))
    value, depth = problem["input"], len(problem["loc"])
    inner = ("literal[", "tuple[", "function-")
    place = (*at, *(part for part in problem["loc"] if not str(part).startswith(inner)))
    where = lines.at(place)
    key = next((str(part) for part in reversed(place) if isinstance(part, str)), "")
    if problem["type"] == "extra_forbidden":
        return _unknown_key(where, key, *_inside(models, problem["loc"][:-1]))
    if problem["type"] == "missing":
        return f"{where}: {key}: is missing; add it (see {see})"
    if problem["type"] == "value_error":
        return f"{where}: {_in_yaml(problem['msg'])}"
    said = [one["msg"] for one in error.errors() if one["input"] == value and len(one["loc"]) == depth]
    wanted = ", or ".join(_in_yaml(one) for one in said)
    quote = "; quote it" if problem["type"] == "string_type" and not isinstance(value, list | dict) else ""
    return f"{where}: {key}: {wanted}, not {value!r}{quote}"


def _inside(models: Iterable[type[BaseModel]], loc: Iterable[str | int]) -> list[type[BaseModel]]:
    """The models whose keys may stand at a place within others."""
    found = list(models)
    for name in (part for part in loc if isinstance(part, str)):
        fields = [one.model_fields[name] for one in found if name in one.model_fields]
        if not fields:  # a key of the user's own, in a mapping of such models
            continue
        kinds = [kind for field in fields for kind in (get_args(field.annotation) or (field.annotation,))]
        found = [kind for kind in kinds if isinstance(kind, type(BaseModel))]
    return found


def _in_yaml(message: str) -> str:
    """pydantic's message in the words of YAML."""
    message = message.removeprefix("Value error, ").partition(" after validation")[0]
    message = message.replace("valid tuple", "list").replace("Tuple", "list")
    message = message.replace("valid dictionary", "mapping of keys to values")
    message = message.replace(" for <class 'pathlib.Path'>", "")
    return message[0].lower() + message[1:]


def _unknown_key(where: str, key: str, *models: type[BaseModel]) -> str:
    known = [name for model in models for name in model.model_fields if name not in ("file", "options")]
    return f"{where}: unknown key {key!r}{_meant(key, known) or '; known: ' + ', '.join(known)}"


def _meant(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _fits(value: Any, default: Any) -> bool:
    """Whether a parameter's value is of the kind of its default, and the ledger can keep it exactly."""
    if isinstance(value, bool) != isinstance(default, bool) or not isinstance(value, _kind(default)):
        return False
    if isinstance(value, list):
        return all(_fits(one, _item(default)) for one in value)
    return not isinstance(value, int | float) or abs(value) < EXACT


def _item(default: Any) -> Any:
    """What the items of a list are like; those of a list that is empty by default are text."""
    return default[0] if default else ""


def _kind(default: Any) -> type | tuple[type, ...]:
    if isinstance(default, tuple | list):
        return list
    return (
        (int, float) if isinstance(default, int | float) and not isinstance(default, bool) else type(default)
    )


def _type_name(default: Any) -> str:
    kind = _kind(default)
    if kind is list:
        return f"list, each item a {_type_name(_item(default))}"
    names = {"str": "text", "bool": "true or false"}
    return "number" if isinstance(kind, tuple) else names.get(kind.__name__, kind.__name__)
