"""All that a check module imports: declare evidence, declare checks, give verdicts.

A module is one service of one platform. Its top half says what is collected, its bottom half what is
tested on it. Ids come from the place: function `buckets` in `checks/aws/s3.py` is `aws.s3.buckets`.

`docs/writing-a-check.md` walks through writing one.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType, ModuleType
from typing import Any, Protocol

from collector.model import NotCollected, NotCollectedError, Outcome, Reason, Resource, Severity, Verdict

__all__ = [
    "Account",
    "Accounts",
    "Check",
    "Evidence",
    "NotCollected",
    "NotCollectedError",
    "Owner",
    "Owners",
    "Reason",
    "Resource",
    "Verdict",
    "accounts",
    "as_list",
    "check",
    "day",
    "evidence",
    "fail",
    "instant",
    "not_applicable",
    "not_tested",
    "ok",
    "older_than",
    "owners",
    "resource",
]


@dataclass(frozen=True, eq=False)
class Evidence:
    """A kind of thing collected, declared by `@evidence` on the generator that reads it.

    Fields:
        id: `platform.service.function`.
        read: the generator; takes the platform's session, yields resources.
        calls: what it may call, in the platform's own terms; the session refuses all else.
        permissions: what the platform's administrator must grant; the calls themselves on AWS.
        per: the kind of scope it is read from (`account`, `region`, `organization`, ...).
    """

    id: str
    read: Callable[[Any], Iterator[Resource]]
    calls: tuple[str, ...]
    permissions: tuple[str, ...]
    per: str
    doc: str
    module: str

    @property
    def platform(self) -> str:
        return self.id.split(".", 1)[0]

    @property
    def name(self) -> str:
        return self.id.rsplit(".", 1)[1]

    def __reduce__(self) -> tuple[Any, tuple[str, str, str]]:
        """Travels to a worker by its place: the function it was declared on bears its name no longer."""
        root = sys.modules[self.module.partition(".")[0]]
        return _declared, (self.module, self.name, root.__path__[0])


@dataclass(frozen=True, eq=False)
class Check:
    """A pure test of evidence, declared by `@check` on the function that gives the verdict.

    Fields:
        id: `platform.service.what_is_true`; says what a pass means.
        test: takes a resource, and by keyword what its signature names: `at`, its needs, its parameters.
        of: the evidence whose resources it judges, one verdict each.
        needs: further evidence, by the name of the keyword it is passed as.
        optional: those of the needs whose platform an organisation may do without.
        params: thresholds and their defaults, set per organisation in `config.yaml`.
        title, about, risk, fix: from the docstring.
    """

    id: str
    test: Callable[..., Verdict]
    of: Evidence
    needs: Mapping[str, Evidence]
    optional: frozenset[str]
    severity: Severity
    params: Mapping[str, Any]
    wants_at: bool
    title: str
    about: str
    risk: str
    fix: str
    module: str
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def platform(self) -> str:
        return self.id.split(".", 1)[0]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All evidence it reads."""
        return (self.of, *self.needs.values())


@dataclass(frozen=True)
class Account:
    """Somebody's account on a platform, or the rights they were given under a name.

    What may need more than one evidence is a function, which raises `NotCollectedError` where that could not
    be read.

    Fields:
        name: what it is called on its platform, and `aliases`, what else.
        emails: the addresses that the platform vouches for.
        rights: what it may do, in the platform's own words.
        administrator: whether it may change who may do what.
        created: when it was made, and `used`, when it was last used; None where the platform does not say.
    """

    name: str
    aliases: tuple[str, ...] = ()
    emails: Callable[[], Sequence[str]] = tuple
    rights: Callable[[], str] = str
    administrator: Callable[[], bool] = bool
    created: Callable[[], str | None] = lambda: None
    used: Callable[[], str | None] = lambda: None


@dataclass(frozen=True, eq=False)
class Accounts:
    """Which accounts an evidence tells of, declared by `@accounts`: the population of access reviews.

    `read` takes a resource of `of` and its needs by keyword, as a check does, and gives the accounts.
    """

    id: str
    read: Callable[..., Iterable[Account]]
    of: Evidence
    needs: Mapping[str, Evidence]
    optional: frozenset[str]
    module: str

    @property
    def platform(self) -> str:
        return self.of.platform


class Owner(Protocol):
    """Whose an account is: `email` says who, `manager` who answers for them (an e-mail address, or empty)."""

    @property
    def email(self) -> str: ...

    @property
    def manager(self) -> str: ...


@dataclass(frozen=True, eq=False)
class Owners:
    """Who is known, declared by `@owners`: gives a function of platform and account that tells whose it is.

    That function gives None for nobody's, and raises `NotCollectedError` where it cannot be told.
    """

    id: str
    read: Callable[..., Callable[[str, Account], Owner | None]]
    needs: Mapping[str, Evidence]
    optional: frozenset[str]
    module: str


def evidence(
    *, calls: Sequence[str], per: str, permissions: Sequence[str] | None = None
) -> Callable[[Callable[[Any], Iterator[Resource]]], Evidence]:
    """Declares the decorated generator as evidence.

    Args:
        calls: IAM actions on AWS (`s3:ListAllMyBuckets`); `GET /path/{template}` on GitHub and Okta, or
            `graphql` on GitHub; `cloudasset.assets.listResource`, `cloudasset.assets.listIamPolicy` or
            `GET https://HOST/path` on Google Cloud.
        per: the kind of scope it is read from.
        permissions: what must be granted, where that is not the calls themselves (GitHub:
            `repository.administration`, `organization.members`, ...).
    """

    def declare(read: Callable[[Any], Iterator[Resource]]) -> Evidence:
        return Evidence(
            id=_id(read),
            read=read,
            calls=tuple(calls),
            permissions=tuple(calls if permissions is None else permissions),
            per=per,
            doc=inspect.getdoc(read) or "",
            module=read.__module__,
        )

    return declare


def check(
    of: Evidence,
    *needs: Evidence,
    severity: str,
    optional: Mapping[str, Evidence] = MappingProxyType({}),
) -> Callable[[Callable[..., Verdict]], Check]:
    """Declares the decorated function as a check on each resource of `of`.

    `needs` are further evidence; each is passed as a list of resources by the keyword of its function's
    name. From the same scope if it is read there; from the account above a region; from all regions of
    an account; of another platform, from all its scopes. `at` is when `of` was collected. Every other keyword
    is a parameter with a default.

    `optional` is evidence of platforms that an organisation may do without, by the keyword it is passed as:
    an empty list where no source of its platform is configured. Where one is, what could not be read of it
    is missed as it is of any need. A function may take evidence that it only hands on as `**name`.

    The docstring is the check's documentation: a title that says what a pass means, then paragraphs
    `Risk:`, `Fix:` and, where they help, others such as `Source:` (the API page) or `Verified:`.
    """

    def declare(test: Callable[..., Verdict]) -> Check:
        by_name, rest = _keywords(test, needs, optional)
        title, about, sections = _sections(inspect.getdoc(test) or "")
        return Check(
            id=_id(test),
            test=test,
            of=of,
            needs=MappingProxyType(by_name),
            optional=frozenset(optional),
            severity=Severity(severity),
            params=MappingProxyType(rest),
            wants_at="at" in inspect.signature(test).parameters,
            title=title,
            about=about,
            risk=sections.pop("risk", ""),
            fix=sections.pop("fix", ""),
            module=test.__module__,
            extra=MappingProxyType(sections),
        )

    return declare


def accounts(
    of: Evidence, *needs: Evidence, optional: Mapping[str, Evidence] = MappingProxyType({})
) -> Callable[[Callable[..., Iterable[Account]]], Accounts]:
    """Declares that the decorated function tells the accounts that a resource of `of` stands for.

    Arguments as for `check`. Whoever declares it for a platform of their own has its accounts in every access
    review.
    """

    def declare(read: Callable[..., Iterable[Account]]) -> Accounts:
        by_name, _ = _keywords(read, needs, optional)
        return Accounts(
            _id(read), read, of, MappingProxyType(by_name), frozenset(optional), module=read.__module__
        )

    return declare


def owners(
    optional: Mapping[str, Evidence],
) -> Callable[[Callable[..., Callable[[str, Account], Owner | None]]], Owners]:
    """Declares that the function tells whose accounts are. It takes `at`, and evidence by keyword."""

    def declare(read: Callable[..., Callable[[str, Account], Owner | None]]) -> Owners:
        by_name, _ = _keywords(read, (), optional)
        return Owners(_id(read), read, MappingProxyType(by_name), frozenset(optional), read.__module__)

    return declare


def _keywords(
    function: Callable[..., Any], needs: Sequence[Evidence], optional: Mapping[str, Evidence]
) -> tuple[dict[str, Evidence], dict[str, Any]]:
    """The evidence that a function takes by keyword, and its parameters with their defaults.

    Raises:
        TypeError: it takes what is neither, or does not take what it needs.
    """
    wanted = {p.name: p for p in list(inspect.signature(function).parameters.values())[1:]}
    by_name = {**{need.name: need for need in needs}, **optional}
    takes_the_rest = [name for name, p in wanted.items() if p.kind is inspect.Parameter.VAR_KEYWORD]
    rest = {name: p.default for name, p in wanted.items() if name not in ("at", *takes_the_rest, *by_name)}
    unknown = [name for name, default in rest.items() if default is inspect.Parameter.empty]
    unused = () if takes_the_rest else by_name.keys() - wanted.keys()
    if unknown or unused:
        raise TypeError(
            f"{function.__module__}.{function.__name__}: "
            + "; ".join(
                [f"parameter {name} has no default and is no evidence it needs" for name in unknown]
                + [f"needs {name} but does not take it" for name in sorted(unused)]
            )
        )
    return by_name, rest


def resource(key: str, *, config: Mapping[str, Any], name: str = "") -> Resource:
    """One item of evidence.

    Args:
        key: what identifies it for good: its ARN, URL or id.
        config: its configuration as the API gave it.
        name: what people call it; the key's last part if not given.
    """
    return Resource(key=key, name=name or re.split(r"[/:]", key.rstrip("/"))[-1] or key, config=config)


def ok(sentence: str) -> Verdict:
    """The resource is as it should be; the sentence names the value that decided it."""
    return Verdict(Outcome.PASS, sentence)


def fail(sentence: str) -> Verdict:
    """The resource is not as it should be; the sentence names the value that decided it."""
    return Verdict(Outcome.FAIL, sentence)


def not_applicable(sentence: str) -> Verdict:
    """There is nothing to test: the vendor manages it, or the feature cannot exist here."""
    return Verdict(Outcome.NOT_APPLICABLE, sentence)


def not_tested(sentence: str, reason: Reason = Reason.NOT_OBSERVABLE) -> Verdict:
    """The evidence is there but cannot answer the question."""
    return Verdict(Outcome.NOT_TESTED, sentence, reason)


def instant(value: str | int | float | None) -> datetime | None:
    """A time as an API gives it (ISO 8601, or seconds since 1970) in UTC; None for none.

    Raises:
        NotCollectedError: `value` is no time.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        when = datetime.fromisoformat(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise NotCollectedError(Reason.MALFORMED, f"not a time: {value!r}") from error
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def day(value: str | int | float | datetime | None, absent: str = "never") -> str:
    """The date of a time, as results state it: `2026-01-03`. Never an age, which changes every night."""
    when = value if isinstance(value, datetime) else instant(value)
    return when.astimezone(UTC).date().isoformat() if when else absent


def older_than(value: str | int | float | datetime | None, days: float, at: datetime) -> bool:
    """Whether `value` lies more than `days` days before `at`. No time at all counts as older."""
    when = value if isinstance(value, datetime) else instant(value)
    return when is None or at - when > timedelta(days=days)


def as_list(value: Any) -> list[Any]:
    """A policy element that may be one item or a list of them, as a list; [] for None."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _declared(module: str, name: str, folder: str) -> Any:
    """What a module declares by that name. `folder` is where its root package is, if not on the path."""
    root = module.partition(".")[0]
    if root not in sys.modules and importlib.util.find_spec(root) is None:
        sys.modules[root] = ModuleType(root)
        sys.modules[root].__path__ = [folder]
    return getattr(importlib.import_module(module), name)


def _id(function: Callable[..., Any]) -> str:
    """`checks.aws.s3` and `buckets` make `aws.s3.buckets`: the root package is not part of the id."""
    return f"{function.__module__.split('.', 1)[-1]}.{function.__name__}"


def _sections(doc: str) -> tuple[str, str, dict[str, str]]:
    """The title, what stands below it, and the `Name: text` paragraphs of a docstring, by lower case name."""
    title, _, body = doc.partition("\n")
    parts = re.split(r"^([A-Z][A-Za-z ]+):[ \n]", body.strip(), flags=re.MULTILINE)
    texts = [" ".join(part.split()) for part in parts]
    sections = dict(zip((text.lower() for text in texts[1::2]), texts[2::2], strict=True))
    return title.strip().rstrip("."), texts[0], sections
