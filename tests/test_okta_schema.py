"""The stand-in says what Okta could say: its paths and answers fit the SDK made from its description.

Names, types and enumerations are taken from the fields of the SDK's models. The models are not asked to read
an answer: they refuse some that Okta gives. `DEVIATIONS` lists what Okta documents in another way.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from collector import registry
from collector.demo import okta_company
from collector.demo.okta import Company, routes
from collector.demo.okta.company import READER, SUMMARIES, Fault, body_of
from tests.checks import harness, test_okta
from tests.checks.harness import Scenario

DEVIATIONS = {
    # https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/: so in its examples
    "AccessPolicy._embedded.resourceType": "a word beside the embedded objects",
    "AuthenticatorEnrollmentPolicySettings.factors": "factors, as policies of Classic Engine name them",
    # https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/: an app of the
    # Integration Network has the catalogue's name, and settings of its own
    "BrowserPluginApplication.name": "any name of the catalogue",
    # https://developer.okta.com/docs/api/openapi/okta-management/management/tag/InlineHook/: as in examples
    "InlineHookOAuthChannelConfig.method": "how the hook is called",
    "InlineHookOAuthChannelConfig.uri": "where the hook leads",
    "SamlApplicationSettings.app": "settings of the app itself",
}
"""What is answered in another way than the models say, by place (`Model.field`), and as what."""


@cache
def descriptions() -> dict[str, tuple[str, frozenset[str]]]:
    """By path, its parameters unnamed: the type of the answer (`List[User]`), and what a query may have."""
    import okta.api

    found: dict[str, tuple[str, frozenset[str]]] = {}
    for file in sorted(Path(okta.api.__path__[0]).glob("*_api.py")):
        text = file.read_text(encoding="utf-8")
        for part in text.split("\n    def _")[1:]:
            path = re.search(r'method="GET",\s+resource_path="([^"]+)"', part)
            if path is None:
                continue
            public = text[text.index(f"    async def {part.partition('_serialize(')[0]}(") :]
            answered = re.search(r'"200": "([^"]+)"', public)
            assert answered is not None, path[1]
            query = re.findall(r'_query_params\.append\(\s*\(\s*"([^"]+)"', part)
            found[blank(path[1])] = (answered[1], frozenset(query))
    assert len(found) > 250
    return found


def blank(template: str) -> str:
    return re.sub(r"{\w+}", "{}", template)


def model(name: str) -> Any:
    import okta.models

    return getattr(okta.models, name)


def problems(place: str, value: Any, kind: Any) -> list[str]:
    """Where a value is not of a type: names, types and enumerations, one sentence each."""
    if isinstance(kind, str | typing.ForwardRef):
        kind = named(kind if isinstance(kind, str) else kind.__forward_arg__)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if place in DEVIATIONS:
        return []
    if origin is typing.Annotated:
        return problems(place, value, parts[0])
    if origin in (typing.Union, types.UnionType):
        return closest(place, value, parts)
    if kind in (Any, object, types.NoneType) or value is None:
        allowed = kind in (Any, object) or (value is None and kind is types.NoneType)
        return [] if allowed else [f"{place}: {value!r} is not {kind}"]
    if origin is list and isinstance(value, list):
        return [found for item in value for found in problems(place, item, parts[0])]
    if origin is dict and isinstance(value, Mapping):
        return [
            found for name, item in value.items() for found in problems(f"{place}.{name}", item, parts[1])
        ]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(misfits(place, value, kind))
    return [] if fits(value, kind) else [f"{place}: {value!r} is not {kind}"]


def closest(place: str, value: Any, kinds: Iterable[Any]) -> list[str]:
    """The problems with the type that fits best."""
    likely = [one for one in kinds if value is None or one is not types.NoneType]
    return min((problems(place, value, one) for one in likely), key=lambda found: (len(found), found))


def fits(value: Any, kind: Any) -> bool:
    if typing.get_origin(kind) in (list, dict):
        return False
    if isinstance(kind, type) and issubclass(kind, Enum):
        return value in [one.value for one in kind]
    if kind is datetime:
        return isinstance(value, str) and bool(
            re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)", value)
        )
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if typing.get_origin(kind) is typing.Literal:
        return value in typing.get_args(kind)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def misfits(place: str, value: Any, kind: type[BaseModel]) -> Iterator[str]:
    """Where a value is not of a model: fields it does not have, and those of another type."""
    for alternatives in ("one_of_schemas", "any_of_schemas"):
        if alternatives in kind.model_fields:
            names = sorted(kind.model_fields[alternatives].default)
            yield from closest(place, value, tuple(map(model, names)))
            return
    if not isinstance(value, Mapping):
        yield f"{place}: {value!r} is not an object"
        return
    own = f"_{kind.__name__}__discriminator_"
    if (known := getattr(kind, f"{own}value_class_map", None)) and kind.__name__ not in known.values():
        said = value.get(getattr(kind, f"{own}property_name"))
        if said not in known:
            yield f"{place}: {said!r} is no kind of {kind.__name__}"
        else:
            yield from misfits(place, value, model(known[said]))
        return
    fields = {field.alias or name: (name, field) for name, field in kind.model_fields.items()}
    for key, item in value.items():
        where = f"{kind.__name__}.{key}"
        if key not in fields or key == "additional_properties":
            if "additional_properties" not in fields and where not in DEVIATIONS:
                yield f"{where}: there is no such field"
            continue
        name, field = fields[key]
        yield from problems(where, item, field.annotation)
        for check, decorator in kind.__pydantic_decorators__.field_validators.items():
            if name in decorator.info.fields and check.endswith("_validate_enum") and where not in DEVIATIONS:
                try:
                    getattr(kind, check)(item)
                except ValueError as error:
                    yield f"{where}: {item!r} {error}"


def named(kind: str) -> Any:
    """A type by its name, as the API modules write it."""
    if inner := re.fullmatch(r"(?:List|list)\[(.+)\]", kind):
        return list[named(inner[1])]  # type: ignore[misc]
    plain = {"object": object, "str": str, "Any": Any}
    return plain[kind] if kind in plain else model(kind)


def unfit(template: str, query: Mapping[str, str], status: int, body: Any) -> list[str]:
    """Where an answer to a path is not as described."""
    if status != 200:
        return problems(template, body, model("Error"))
    if template in ANSWERED_AS_LIST:
        kind = named(f"List[{descriptions()[blank(template)][0]}]")
    else:
        kind = named(descriptions()[blank(template)][0])
    unknown = query.keys() - descriptions()[blank(template)][1]
    return [
        *(f"{template}: Okta knows no parameter {name}" for name in sorted(unknown)),
        *problems(template, body, kind),
    ]


ANSWERED_AS_LIST = {"/api/v1/users/{userId}/authenticator-enrollments"}
"""The operation is described as a listing, the SDK's method returns one item."""


COMPANIES = [
    pytest.param(okta_company.FACTS, id="demo"),
    pytest.param(okta_company.changed(okta_company.FACTS), id="demo after a month"),
    pytest.param({}, id="bare"),
]


@pytest.mark.parametrize("facts", COMPANIES)
def test_every_answer_of_a_company_is_as_described(facts: Mapping[str, Any]) -> None:
    company, found = Company(facts), []
    for call, told in [*facts.items(), *((f"GET {one.template}", None) for one in routes.ROUTES)]:
        template, _, text = call.removeprefix("GET ").partition("?")
        if call == "engine":
            continue
        query = dict(pair.partition("=")[::2] for pair in text.split("&") if pair)
        for params in asked(told, template):
            path = template.format_map(params)
            route = routes.find(path)
            assert route is not None, path
            answer = company.answer(route[0], path, query)
            if route[0].key and isinstance(answer, list):
                answer = {route[0].key: answer}
            if isinstance(answer, Fault):
                status, answer = body_of(answer)
                found += unfit(route[0].template, {}, status, answer)
            else:
                found += unfit(route[0].template, query, 200, answer)
    assert not found, "\n" + "\n".join(dict.fromkeys(found))


def asked(told: Any, template: str) -> list[dict[str, str]]:
    """Every way to fill a path for which there is an answer."""
    plain = dict.fromkeys(re.findall(r"{(\w+)}", template), "x")
    if isinstance(told, Mapping) and told.keys() == {"by"}:
        ((name, answers),) = told["by"].items()
        return [{**plain, name: str(value)} for value in answers]
    return [plain]


def test_every_path_is_okta_s() -> None:
    unknown = [one.template for one in routes.ROUTES if blank(one.template) not in descriptions()]
    assert not unknown


def test_pages_are_where_okta_has_them() -> None:
    paged = {"limit", "after"}
    wrong = [
        route.template
        for route in routes.ROUTES
        if isinstance(route.default, list)
        and not route.key
        and route.pages != bool(paged & descriptions()[blank(route.template)][1])
    ]
    assert not wrong


def test_refusals_are_in_okta_s_form() -> None:
    found = [unfit("", {}, *body_of(Fault(error=code))) for code in SUMMARIES]
    assert not any(found)


def test_the_reader_is_a_user() -> None:
    assert not problems("", READER, model("UserGetSingleton"))


@pytest.mark.parametrize("evidence", registry.load().of("okta"), ids=lambda one: one.id)
def test_what_checks_declare_is_okta_s(evidence: Any) -> None:
    unknown = [one for one in evidence.calls if blank(one.removeprefix("GET ")) not in descriptions()]
    assert not unknown


@pytest.mark.parametrize("scenario", harness.parameters("okta"))
def test_what_checks_ask_and_hear_is_as_described(scenario: Scenario) -> None:
    server = test_okta.conversation(scenario)
    found = [problem for one in server.answers for problem in unfit(*one)]
    assert not found, "\n" + "\n".join(dict.fromkeys(found))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            {"id": "1", "name": "a", "type": "IP", "colour": "red"},
            "IPNetworkZone.colour: there is no such field",
        ),
        ({"id": 1, "name": "a", "type": "IP"}, "IPNetworkZone.id: 1 is not"),
        ({"id": "1", "name": "a", "type": "MOON"}, "'MOON' is no kind of NetworkZone"),
        (
            {"name": "a", "type": "IP", "status": "ON"},
            "IPNetworkZone.status: 'ON' is not <enum 'NetworkZoneStatus'>",
        ),
        ({"name": "a", "type": "IP", "system": "no"}, "IPNetworkZone.system: 'no' is not"),
        ({"name": "a", "type": "IP", "created": "yesterday"}, "IPNetworkZone.created: 'yesterday' is not"),
        ({"name": None, "type": "IP"}, "IPNetworkZone.name: None is not"),
        ({"name": "a", "type": "IP", "gateways": {}}, "IPNetworkZone.gateways: {} is not"),
        ("zone", "is not an object"),
    ],
)
def test_what_does_not_fit_is_told(answer: Any, problem: str) -> None:
    found = unfit("/api/v1/zones", {}, 200, [answer])
    assert any(problem in one for one in found), found


def test_a_query_that_okta_does_not_know_is_told() -> None:
    assert unfit("/api/v1/zones", {"colour": "red"}, 200, []) == [
        "/api/v1/zones: Okta knows no parameter colour"
    ]


# --- how the stand-in finds an answer


def answer(company: Company, path: str, **query: str) -> Any:
    found = routes.find(path)
    assert found is not None
    return company.answer(found[0], path, query)


@pytest.mark.parametrize("call", ["GET /api/v1/moons", "POST /api/v1/users", "/api/v1/users", "users"])
def test_a_call_that_okta_does_not_have_is_told(call: str) -> None:
    with pytest.raises(ValueError, match="knows no such call"):
        Company({call: []})


def test_the_key_that_says_most_wins() -> None:
    plain = [{"id": "1", "type": "PASSWORD"}, {"id": "2", "type": "OKTA_SIGN_ON"}]
    company = Company({"GET /api/v1/policies": plain, "GET /api/v1/policies?type=PASSWORD": [{"id": "3"}]})
    assert answer(company, "/api/v1/policies", type="PASSWORD") == [{"id": "3"}]
    assert answer(company, "/api/v1/policies", type="OKTA_SIGN_ON") == plain[1:]


def test_an_answer_by_parameter() -> None:
    company = Company({"GET /api/v1/users/{userId}/groups": {"by": {"userId": {1: [{"id": "00g1"}]}}}})
    assert answer(company, "/api/v1/users/1/groups") == [{"id": "00g1"}]
    assert answer(company, "/api/v1/users/2/groups") == []
    assert isinstance(answer(company, "/api/v1/users/2"), Fault)


def test_filters_that_are_understood() -> None:
    people = [{"id": one, "status": one} for one in ("ACTIVE", "SUSPENDED", "DEPROVISIONED")]
    company = Company({"GET /api/v1/users": people})
    asked = 'status eq "SUSPENDED" or status eq "DEPROVISIONED"'
    assert answer(company, "/api/v1/users", filter=asked) == people[1:]
    assert answer(company, "/api/v1/users", search="profile.department sw x") == people
