"""Every mistake in config.yaml is told in one line: the file, the line, and what was meant."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from collector import config, registry
from collector.config import Config
from collector.model import Severity, UserError
from collector.platforms.aws import Options as AwsOptions
from collector.platforms.github import Options as GithubOptions
from collector.registry import Registry

EXAMPLE = Path(__file__).parent.parent / "config.example.yaml"

ORGANIZATION = "organization: Acme\n"
AWS = "sources:\n  - name: production\n    platform: aws\n"
GITHUB = "sources:\n  - name: code\n    platform: github\n    organizations: [acme]\n"
WHOLE = ORGANIZATION + AWS
"""Four lines; what is added to it stands in the source if indented by four spaces."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


@pytest.fixture(scope="module")
def known() -> Registry:
    return registry.load()


def read(file: Path, text: str | bytes) -> Config:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return config.load(file)


def told(file: Path, text: str | bytes, known: Registry | None = None) -> str:
    """The one line that says what is wrong, from the number of the file's line on."""
    with pytest.raises(UserError) as caught:
        loaded = read(file, text)
        if known is not None:
            loaded.parameters_of(known)
    message = str(caught.value)
    assert message.startswith(f"{file}:")
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"{file}:")


# What is right


def test_the_least_that_is_needed(file: Path) -> None:
    loaded = read(file, WHOLE)
    (source,) = loaded.sources
    assert (source.name, source.platform, source.options) == ("production", "aws", AwsOptions())
    assert (loaded.organization, loaded.workers, loaded.fail_on) == ("Acme", 8, None)
    assert (loaded.parameters, loaded.check_paths, loaded.mapping_paths) == ({}, (), ())
    assert loaded.file == file


def test_what_is_given_is_taken(file: Path) -> None:
    own = "    accounts: ['111122223333']\n    regions: [eu-west-1]\n    timeout: 5\n"
    loaded = read(file, f"{WHOLE}{own}fail_on: high\nworkers: 2\n")
    (source,) = loaded.sources
    assert source.options == AwsOptions(accounts=("111122223333",), regions=("eu-west-1",), timeout=5)
    assert (loaded.fail_on, loaded.workers) == (Severity.HIGH, 2)


@pytest.mark.parametrize("key", ["fail_on", "parameters", "check_paths", "timestamp_url", "ledger"])
def test_a_key_whose_value_is_commented_out_is_as_if_left_out(file: Path, key: str) -> None:
    assert read(file, f"{WHOLE}{key}:\n  # nothing\n") == read(file, WHOLE)


def test_a_source_may_say_the_same_as_another_by_an_anchor(file: Path) -> None:
    text = (
        f"{ORGANIZATION}sources:\n  - &first\n    name: a\n    platform: aws\n    profile: audit\n"
        "  - <<: *first\n    name: b\n"
    )
    assert [(one.name, one.options.profile) for one in read(file, text).sources] == [
        ("a", "audit"),
        ("b", "audit"),
    ]


@pytest.mark.parametrize(
    "text", [b"\xef\xbb\xbf" + WHOLE.encode(), WHOLE.replace("\n", "\r\n").encode(), WHOLE.encode("utf-16")]
)
def test_files_of_other_editors_are_read(file: Path, text: bytes) -> None:
    assert read(file, text).organization == "Acme"


def test_relative_paths_are_taken_from_the_file_s_folder(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    paths = "ledger: data/acme.db\ncheck_paths: [own, ../shared]\nmapping_paths: [/srv/mappings]\n"
    loaded = read(folder / "config.yaml", WHOLE + paths)
    assert loaded.ledger == folder / "data" / "acme.db"
    assert loaded.check_paths == (folder / "own", folder / "../shared")
    assert loaded.mapping_paths == (Path("/srv/mappings"),)
    assert read(folder / "config.yaml", WHOLE).ledger == folder / "ledger.db"


def test_a_path_may_begin_at_home(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/operator")
    loaded = read(file, f"{WHOLE}ledger: ~/acme.db\ncheck_paths: [~/own]\n")
    assert (loaded.ledger, loaded.check_paths) == (
        Path("/home/operator/acme.db"),
        (Path("/home/operator/own"),),
    )


def test_the_example_loads_and_what_it_sets_exists(known: Registry) -> None:
    loaded = config.load(EXAMPLE)
    assert [one.platform for one in loaded.sources] == ["aws", "github", "gcp", "okta", "people"]
    assert loaded.parameters_of(known) == loaded.parameters != {}


def test_the_example_names_every_key(known: Registry) -> None:
    text = EXAMPLE.read_text()
    for model in (Config, AwsOptions, GithubOptions):
        for key in model.model_fields.keys() - {"file"}:
            assert re.search(rf"^[ #-]*{key}:", text, flags=re.MULTILINE), key


# What is wrong in the file as such


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("organization: Acme\nsources:\n\t- name: x\n", "3: not valid YAML: .*; indent with spaces"),
        ("organization: Acme\nsources: [\n", "3: not valid YAML: expected the node content"),
        ('organization: "Acme\nsources: []\n', "3: not valid YAML: found unexpected end of stream"),
        ("organization: Acme\n---\nb: 1\n", "2: not valid YAML: but found another document"),
        ("organization: *acme\n", "1: not valid YAML: found undefined alias 'acme'"),
        ("organization: !!python/name:os.system x\n", "1: not valid YAML: could not determine"),
        ("organization: Acme\n[a]: x\n", "2: not valid YAML: found unhashable key"),
        ("a: 1\norganization: 2026-13-45\n", "2: not valid YAML: month must be in 1..12; quote it"),
        ("a: 1\nworkers: " + "9" * 5000, "2: not valid YAML: .*4300 digits"),
        (b"organization: Acm\xff\n", " not valid YAML: unacceptable character"),
        (b"organization: Acm\0\n", " not valid YAML: unacceptable character"),
        ("[" * 500, " not valid YAML: brackets within brackets without end"),
    ],
)
def test_what_is_no_yaml(file: Path, text: str | bytes, said: str) -> None:
    assert re.match(said, told(file, text))


@pytest.mark.parametrize(
    "text", ["", "# nothing but this\n", "- organization: Acme\n", "Acme\n", "5\n", "~\n"]
)
def test_what_is_no_mapping(file: Path, text: str) -> None:
    assert told(file, text) == (
        "1: expected keys such as organization: and sources:; see config.example.yaml"
    )


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(UserError, match=r"config\.yaml: no such file; `collector init` writes one$"):
        config.load(file)


def test_what_is_no_file(tmp_path: Path, file: Path) -> None:
    file.write_text(WHOLE)
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    for path, why in (
        (tmp_path, "Is a directory"),
        (file / "config.yaml", "Not a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
        (loop, "Too many levels of symbolic links"),
    ):
        with pytest.raises(UserError) as caught:
            config.load(path)
        assert str(caught.value) == f"{path}: cannot be read: {why}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(file: Path) -> None:
    file.write_text(WHOLE)
    file.chmod(0)
    with pytest.raises(UserError, match=r"config\.yaml: cannot be read: Permission denied$"):
        config.load(file)


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_whatever_the_file_holds_one_line_says_what_is_wrong(
    tmp_path_factory: pytest.TempPathFactory, text: str | bytes
) -> None:
    told(tmp_path_factory.getbasetemp() / "any.yaml", text)


# What is wrong with keys and values


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("wokers: 2", "unknown key 'wokers'; did you mean 'workers'?"),
        ("zebra: 1", "unknown key 'zebra'; known: organization, ledger, sources, parameters, check_paths,"),
        ("file: x", "unknown key 'file'; known: organization,"),
        ("on: x", "unknown key 'on'; known: organization,"),
        ("organization: Beta", "organization: stands on line 1 already; remove one"),
        ("workers: many", "workers: input should be a valid integer, not 'many'"),
        ("workers: '8'", "workers: input should be a valid integer, not '8'"),
        ("workers: true", "workers: input should be a valid integer, not True"),
        ("workers: 0", "workers: input should be greater than or equal to 1, not 0"),
        ("workers: 257", "workers: input should be less than or equal to 256, not 257"),
        ("fail_on: hgh", "fail_on: input should be 'low', 'medium', 'high' or 'critical', not 'hgh'"),
        ("ledger: 5", "ledger: input is not a valid path, not 5"),
        ("ledger: ~nobody-here/x", "there is no home folder ~nobody-here; write it out"),
        ("mapping_paths: [here, ~nobody-here/x]", "there is no home folder ~nobody-here; write it out"),
        ("check_paths: own", "check_paths: input should be a list, not 'own'"),
        ("parameters: []", "parameters: input should be a mapping of keys to values, not []"),
        ("timestamp_url: 5", "timestamp_url: input should be a valid string, not 5; quote it"),
        ("  - aws", "a source is a mapping with name: and platform:"),
        ("  - platform: aws", "name: is missing; add it (see config.example.yaml)"),
        ("  - name: a", "the source has no platform:; known: aws, gcp, github, okta, people"),
        ("  - {name: a, platform: github}", "organizations: is missing; add it (see config.example.yaml)"),
        (
            "  - {name: a, platform: gihub}",
            "unknown platform 'gihub'; known: aws, gcp, github, okta, people; did you mean 'github'?",
        ),
        ("  - {name: a, platform: 5}", "unknown platform '5'; known: aws, gcp, github, okta, people"),
        ("  - {name: production, platform: aws}", "two sources are named 'production'; rename one"),
        ("  - {name: a b, platform: aws}", "name: string should match pattern"),
        ("  - {name: 5, platform: aws}", "name: input should be a valid string, not 5; quote it"),
        ("  - {nmae: a, platform: aws}", "unknown key 'nmae'; did you mean 'name'?"),
    ],
)
def test_a_wrong_line(file: Path, line: str, said: str) -> None:
    assert told(file, f"{WHOLE}{line}\n").startswith(f"5: {said}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("profle: x", "unknown key 'profle'; did you mean 'profile'?"),
        ("options: x", "unknown key 'options'; known: profile, accounts,"),
        ("1: x", "unknown key '1'; known: profile, accounts,"),
        ("name: b", "name: stands on line 3 already; remove one"),
        ("timeout: 0", "timeout: input should be greater than 0, not 0"),
        ("timeout: true", "timeout: input should be a valid number, not True"),
        ("attempts: '5'", "attempts: input should be a valid integer, not '5'"),
        (
            "regions: eu-west-1",
            "regions: input should be 'enabled', or input should be a list, not 'eu-west-1'",
        ),
        ("regions: [no]", "regions: input should be a valid string, not False; quote it"),
        ("accounts: [444455556666]", "accounts: input should be a valid string, not 444455556666; quote it"),
        (
            "exclude_accounts: [444455556666]",
            "exclude_accounts: input should be a valid string, not 444455556666; quote it",
        ),
        ("accounts: ['1234']", r"accounts: string should match pattern '^\d{12}$', not '1234'"),
        (
            "accounts: all",
            "accounts: input should be 'self' or 'organization', or input should be a list, not 'all'",
        ),
    ],
)
def test_a_wrong_line_of_an_aws_source(file: Path, line: str, said: str) -> None:
    assert told(file, f"{WHOLE}    {line}\n").startswith(f"5: {said}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("app: {id: 1}", "private_key_file: is missing; add it (see config.example.yaml)"),
        (
            "app: {id: 1, private_key_fle: x}",
            "unknown key 'private_key_fle'; did you mean 'private_key_file'?",
        ),
        (
            "app: {id: 1, private_key_file: x, zebra: y}",
            "unknown key 'zebra'; known: id, private_key_file, installation_id",
        ),
        ("base_url: http://ghe", "base_url: string should match pattern"),
        ("pause: true", "pause: input should be a valid number, not True"),
    ],
)
def test_a_wrong_line_of_a_github_source(file: Path, line: str, said: str) -> None:
    assert told(file, f"{ORGANIZATION}{GITHUB}    {line}\n").startswith(f"6: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (AWS, "1: organization: is missing; add it (see config.example.yaml)"),
        (f"organization:\n{AWS}", "1: organization: is missing; add it"),
        (f"organisation: Acme\n{AWS}", "1: unknown key 'organisation'; did you mean 'organization'?"),
        (f"organization: 5\n{AWS}", "1: organization: input should be a valid string, not 5; quote it"),
        (f"organization: ''\n{AWS}", "1: organization: string should have at least 1 character, not ''"),
        (ORGANIZATION, "1: sources: is missing; add it (see config.example.yaml)"),
        (f"{ORGANIZATION}sources:\n", "2: sources: is missing; add it"),
        (f"{ORGANIZATION}sorces: []\n", "2: unknown key 'sorces'; did you mean 'sources'?"),
        (
            f"{ORGANIZATION}sources:\n  name: a\n",
            "2: sources: input should be a list, not {'name': 'a'}",
        ),
        (
            f"{WHOLE}    regions:\n      - eu-west-1\n      - 5\n",
            "7: regions: input should be a valid string",
        ),
        (
            ORGANIZATION + GITHUB.replace("[acme]", "[]"),
            "5: organizations: list should have at least 1 item, not []",
        ),
        (
            f"{ORGANIZATION}{GITHUB}".replace("[acme]", "[a, b]")
            + "    app: {id: 1, private_key_file: x, installation_id: 3}\n",
            "3: an installation is of one organisation; leave out installation_id to look them up",
        ),
    ],
)
def test_a_wrong_file(file: Path, text: str, said: str) -> None:
    assert told(file, text).startswith(said)


# Thresholds

ROTATED = "aws.iam.access_keys_are_rotated"
PORTS = "aws.vpc.acl_closes_administration_ports"
TRUSTED = "aws.iam.role_trusts_known_accounts"
TAG = "aws.ec2.instance_has_no_public_address"


def with_parameters(check: str, values: str) -> str:
    return f"{WHOLE}parameters:\n  {check}:\n    {values}\n"


@pytest.mark.parametrize(
    ("check", "values", "taken"),
    [
        (ROTATED, "max_days: 60", {"max_days": 60}),
        (ROTATED, "max_days: 0.5", {"max_days": 0.5}),
        (PORTS, "ports: [22]", {"ports": [22]}),
        (PORTS, "ports: []", {"ports": []}),
        (TRUSTED, "known_accounts: ['111122223333']", {"known_accounts": ["111122223333"]}),
        (TAG, "allowed_tag: open", {"allowed_tag": "open"}),
    ],
)
def test_thresholds_are_taken(
    file: Path, known: Registry, check: str, values: str, taken: dict[str, Any]
) -> None:
    assert read(file, with_parameters(check, values)).parameters_of(known) == {check: taken}


@pytest.mark.parametrize(
    ("check", "values", "said"),
    [
        (ROTATED, "maxdays: 60", f"7: {ROTATED} has no parameter 'maxdays'; did you mean 'max_days'?"),
        (ROTATED, "zebra: 60", f"7: {ROTATED} has no parameter 'zebra'; it has max_days"),
        (
            "aws.s3.keeps_versions",
            "zebra: 1",
            "7: aws.s3.keeps_versions has no parameter 'zebra'; it has none",
        ),
        (ROTATED, "max_days: '60'", f"7: {ROTATED}: max_days is '60'; give a number, such as 90"),
        (ROTATED, "max_days: true", f"7: {ROTATED}: max_days is True; give a number, such as 90"),
        (ROTATED, "max_days: ", f"7: {ROTATED}: max_days is None; give a number, such as 90"),
        (ROTATED, "max_days: [60]", f"7: {ROTATED}: max_days is [60]; give a number, such as 90"),
        (ROTATED, "max_days: .inf", f"7: {ROTATED}: max_days is inf; give a number, such as 90"),
        (PORTS, "ports: 22", f"7: {PORTS}: ports is 22; give a list, each item a number, such as [22, 3389]"),
        (PORTS, "ports: ['22']", f"7: {PORTS}: ports is ['22']; give a list, each item a number"),
        (PORTS, "ports: [22, true]", f"7: {PORTS}: ports is [22, True]; give a list, each item a number"),
        (
            TRUSTED,
            "known_accounts: [111122223333]",
            f"7: {TRUSTED}: known_accounts is [111122223333]; give a list, each item a text, such as []",
        ),
        (TAG, "allowed_tag: 5", f'7: {TAG}: allowed_tag is 5; give a text, such as "public-address"'),
        (ROTATED, "60: 1", f"7: {ROTATED} has no parameter '60'; it has max_days"),
        (ROTATED, "60", f"6: {ROTATED}: input should be a mapping of keys to values, not 60"),
        (ROTATED, f"max_days: 1\n  {ROTATED}: {{}}", f"8: {ROTATED}: stands on line 6 already; remove one"),
        (
            "aws.iam.access_keys_are_rotatd",
            "max_days: 60",
            f"6: no check 'aws.iam.access_keys_are_rotatd'; did you mean '{ROTATED}'?",
        ),
        ("zebra", "max_days: 60", "6: no check 'zebra'"),
        ("aws.iam.users", "max_days: 60", "6: no check 'aws.iam.users'"),
    ],
)
def test_a_wrong_threshold(file: Path, known: Registry, check: str, values: str, said: str) -> None:
    assert told(file, with_parameters(check, values), known).startswith(said)


def test_a_check_of_one_s_own_may_have_any_default(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "own" / "acme"
    folder.mkdir(parents=True)
    (folder / "vpn.py").write_text(
        "from collector.sdk import check, evidence, ok\n"
        "@evidence(calls=[], per='account')\ndef tunnels(session): ...\n"
        "@check(tunnels, severity='low')\n"
        "def is_up(tunnel, *, strict=True, level=None):\n    'Tunnel is up'\n    return ok('up')\n"
    )
    own = registry.load([folder.parent])
    given_no = with_parameters("acme.vpn.is_up", "strict: no")
    assert read(file, given_no).parameters_of(own) == {"acme.vpn.is_up": {"strict": False}}
    for value, said in (
        ("strict: 1", "strict is 1; give a true or false, such as true"),
        ("level: 1", "level is 1; give a NoneType, such as null"),
    ):
        assert told(file, with_parameters("acme.vpn.is_up", value), own) == f"7: acme.vpn.is_up: {said}"


@given(st.integers() | st.floats())
def test_a_number_is_taken_if_the_ledger_can_keep_it(
    tmp_path_factory: pytest.TempPathFactory, known: Registry, number: float
) -> None:
    file = tmp_path_factory.getbasetemp() / "number.yaml"
    loaded = read(file, WHOLE + yaml.safe_dump({"parameters": {ROTATED: {"max_days": number}}}))
    if math.isfinite(number) and abs(number) < 2**53:
        assert loaded.parameters_of(known)[ROTATED]["max_days"] == number
    else:
        with pytest.raises(UserError, match="give a number, such as 90"):
            loaded.parameters_of(known)


# The schema for editors


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    described = config.schema()
    jsonschema.Draft202012Validator.check_schema(described)
    return jsonschema.Draft202012Validator(described)


def test_the_schema_accepts_the_example(schema: jsonschema.Draft202012Validator) -> None:
    schema.validate(yaml.safe_load(EXAMPLE.read_text()))
    schema.validate(yaml.safe_load(WHOLE))


@pytest.mark.parametrize(
    "text",
    [
        f"{WHOLE}wokers: 2\n",
        f"{WHOLE}file: x\n",
        f"{WHOLE}workers: many\n",
        f"{WHOLE}workers: 0\n",
        f"{WHOLE}fail_on: hgh\n",
        f"{WHOLE}    profle: x\n",
        f"{WHOLE}    organizations: [acme]\n",
        f"{WHOLE}    accounts: [111122223333]\n",
        f"{WHOLE}    accounts: all\n",
        AWS,
        ORGANIZATION,
        f"{ORGANIZATION}sources:\n  - name: a\n",
        f"{ORGANIZATION}sources:\n  - platform: aws\n",
        f"{ORGANIZATION}sources:\n  - name: a\n    platform: gihub\n",
        f"{ORGANIZATION}sources:\n  - name: a\n    platform: github\n",
        f"{WHOLE}parameters: []\n",
    ],
)
def test_the_schema_refuses_what_is_refused(
    schema: jsonschema.Draft202012Validator, file: Path, text: str
) -> None:
    assert not schema.is_valid(yaml.safe_load(text))
    told(file, text)
