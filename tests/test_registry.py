"""What is declared is found, what cannot be is told, and a check's version is that of its code."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from collector import platforms, registry
from collector.model import UserError
from collector.sdk import Check, Evidence

FIRST_VERIFIED = date(2026, 11, 22)
"""The day of the first checks. None can have been held against its page before."""

SHARED = '''\
"""What the modules of Acme share."""

LEAST = 2


def is_long(tunnel):
    """Whether it is long."""
    return reaches(tunnel, LEAST)


def reaches(tunnel, least):
    return tunnel["Length"] >= least


def unused():
    return 0
'''
VPN = '''\
"""Acme's tunnels."""

from collector.sdk import check, evidence, fail, ok, resource

from ._shared import is_long

STATES = ["up", "rising"]
STATES += ["new"]
UNUSED = 1


@evidence(calls=["vpn:ListTunnels"], per="account")
def tunnels(vpn):
    """Every tunnel."""
    for tunnel in vpn.tunnels():
        yield resource(tunnel["Id"], config=tunnel)


def is_alive(tunnel):
    # Half up is up.
    return tunnel["State"] in STATES


@check(tunnels, severity="low")
def is_up(tunnel, *, strict=True):
    """Tunnel is up

    Risk: nobody gets in.
    Fix: turn it on.
    """
    return ok("up") if is_alive(tunnel) and is_long(tunnel) else fail("down")


@check(tunnels, severity="low")
def is_named(tunnel):
    """Tunnel has a name"""
    return ok("named") if tunnel.name else fail("not named")
'''


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """A folder with these files in it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def acme(vpn: str = VPN, shared: str = SHARED) -> dict[str, str]:
    """The modules of Acme, in a folder of the user's own."""
    return {"acme/vpn.py": vpn, "acme/_shared.py": shared}


def packaged(vpn: str = VPN, shared: str = SHARED) -> dict[str, str]:
    """The same in a package."""
    files = {f"acme_checks/{name}": text for name, text in acme(vpn, shared).items()}
    return {"acme_checks/__init__.py": "", "acme_checks/acme/__init__.py": "", **files}


def told(*folders: Path) -> str:
    """The one line that says why these folders cannot be read."""
    with pytest.raises(UserError) as caught:
        registry.load(folders)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


# What comes with the program


def test_ids_come_from_the_place() -> None:
    known = registry.load()
    assert len(known.checks) > 100
    every: dict[str, Check | Evidence] = {**known.evidence, **known.checks}
    for id_, declared in every.items():
        assert id_ == declared.id
        assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+\.[a-z0-9_]+", id_)
        assert declared.module == f"checks.{id_.rpartition('.')[0]}"
    assert list(known.evidence) == sorted(known.evidence)
    assert list(known.checks) == sorted(known.checks)


def test_what_a_registry_is_asked_for() -> None:
    known = registry.load()
    assert {one.platform for one in known.of("github")} == {"github"}
    assert sum(len(known.of(name)) for name in platforms.names()) == len(known.evidence)
    assert "aws.s3.blocks_public_access" in {one.id for one in known.checks_on("aws.s3.buckets")}
    assert {one.of.id for one in known.checks_on("aws.s3.buckets")} == {"aws.s3.buckets"}
    assert known.of("none") == []
    assert known.checks_on("none") == []


def test_every_need_is_declared() -> None:
    known = registry.load()
    for one in known.checks.values():
        assert all(known.evidence[needed.id] is needed for needed in one.evidence), one.id


def test_every_check_names_its_page_and_the_day_it_was_held_against_it() -> None:
    """`Source:` is an https page, or several; `Verified:` a real day, and none before there were checks."""
    for one in registry.load().checks.values():
        if one.module.startswith("checks."):
            pages = [urlsplit(page) for page in one.extra.get("source", "").split()]
            assert pages and all(page.scheme == "https" and page.hostname for page in pages), one.id
            verified = one.extra.get("verified", "")
            assert re.fullmatch(r"\d{4}-\d\d-\d\d(, .+)?", verified), one.id
            assert date.fromisoformat(verified.partition(",")[0]) >= FIRST_VERIFIED, one.id


# Folders of the user's own


def test_a_folder_is_read_as_checks_is(tmp_path: Path) -> None:
    known = registry.load([written(tmp_path, acme())])
    own = known.of("acme")
    assert [one.id for one in own] == ["acme.vpn.tunnels"]
    assert [one.id for one in known.checks_on("acme.vpn.tunnels")] == ["acme.vpn.is_named", "acme.vpn.is_up"]
    check = known.checks["acme.vpn.is_up"]
    assert (check.title, check.risk, check.fix) == ("Tunnel is up", "nobody gets in.", "turn it on.")
    assert (dict(check.params), check.of) == ({"strict": True}, own[0])
    assert known.checks.keys() > registry.load().checks.keys()


def test_what_a_module_imports_it_does_not_declare(tmp_path: Path) -> None:
    other = "from .vpn import is_up, tunnels\nfrom checks.aws.s3 import buckets\n"
    known = registry.load([written(tmp_path, {**acme(), "acme/wan.py": other})])
    assert {id_ for id_ in [*known.evidence, *known.checks] if id_.startswith("acme.")} == {
        "acme.vpn.tunnels",
        "acme.vpn.is_up",
        "acme.vpn.is_named",
    }


def test_two_folders_may_have_modules_of_one_name(tmp_path: Path) -> None:
    one = written(tmp_path / "one", acme())
    other_vpn = VPN.replace("tunnels(", "lines(").replace("(tunnels", "(lines").replace("is_", "line_is_")
    two = written(tmp_path / "two", acme(other_vpn, SHARED.replace("is_", "line_is_")))
    known = registry.load([one, two])
    assert [id_ for id_ in known.evidence if id_.startswith("acme.")] == [
        "acme.vpn.lines",
        "acme.vpn.tunnels",
    ]
    first, second = known.checks["acme.vpn.is_up"], known.checks["acme.vpn.line_is_up"]
    assert (first.of.id, second.of.id) == ("acme.vpn.tunnels", "acme.vpn.lines")
    assert registry.version(first) != registry.version(second)


def test_a_folder_that_changed_is_read_anew(tmp_path: Path) -> None:
    old = registry.load([written(tmp_path / "old", acme())])
    new = registry.load([written(tmp_path / "new", {"acme/wan.py": VPN, "acme/_shared.py": SHARED})])
    assert "acme.vpn.is_up" in old.checks
    assert "acme.vpn.is_up" not in new.checks
    assert "acme.wan.is_up" in new.checks


def test_an_id_that_is_declared_twice(tmp_path: Path) -> None:
    one = written(tmp_path / "one", acme())
    two = written(tmp_path / "two", acme())
    assert told(one, two) == f"{two}/acme/vpn.py: acme.vpn.tunnels is declared twice; rename one"
    same = VPN.replace("is_up", "blocks_public_access")
    three = written(tmp_path / "three", {"aws/s3.py": same, "aws/_shared.py": SHARED})
    assert told(three) == f"{three}/aws/s3.py: aws.s3.blocks_public_access is declared twice; rename one"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def is_alive(", "def is_alive(:", "SyntaxError: invalid syntax (vpn.py, line 19)"),
        ("UNUSED = 1", "import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import is_long", "import no_such_name", "ImportError: cannot import name 'no_such_name'"),
        ("UNUSED = 1", "UNUSED = 1 / 0", "ZeroDivisionError: division by zero"),
        ("UNUSED = 1", "raise OSError('one\\ntwo')", "OSError: one two"),
        ('severity="low"', 'severity="hihg"', "ValueError: 'hihg' is not a valid Severity"),
        (
            "is_up(tunnel, *, strict=True)",
            "is_up(tunnel, *, strict)",
            "TypeError: check_path0.acme.vpn.is_up: parameter strict has no default and is no evidence",
        ),
        (
            '@check(tunnels, severity="low")\ndef is_up',
            '@check(tunnels, tunnels, severity="low")\ndef is_up',
            "TypeError: check_path0.acme.vpn.is_up: needs tunnels but does not take it",
        ),
    ],
)  # fmt: skip
def test_a_module_that_cannot_be_imported(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in VPN
    folder = written(tmp_path, acme(VPN.replace(old, new, 1)))
    assert told(folder).startswith(f"{folder}/acme/vpn.py: cannot be imported: {said}")


def test_a_shared_module_that_cannot_be_imported(tmp_path: Path) -> None:
    folder = written(tmp_path, acme(shared="LEAST = ("))
    assert told(folder).startswith(f"{folder}/acme/vpn.py: cannot be imported: SyntaxError: ")
    assert told(folder).endswith("(_shared.py, line 1)")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none", tmp_path / "file"):
        assert told(path) == f"check_paths: {path} is not a folder; create it or remove the entry"


# Packages of others


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a package stands that offers its checks by an entry point."""
    info = "acme_checks-1.0.dist-info"
    files = {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: acme-checks\nVersion: 1.0\n",
        f"{info}/entry_points.txt": "[collector.checks]\nacme = acme_checks\n",
    }
    monkeypatch.syspath_prepend(written(tmp_path, files))
    yield tmp_path
    forget()


def forget() -> None:
    """Lets the package be imported as if for the first time."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_checks"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def test_a_package_offers_its_own(site: Path) -> None:
    written(site, packaged())
    known = registry.load()
    assert known.checks["acme.vpn.is_up"].of is known.evidence["acme.vpn.tunnels"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("__init__.py", "acme_checks"),
        ("acme/__init__.py", "acme_checks.acme"),
        ("acme/vpn.py", "acme_checks.acme.vpn"),
    ],
)
def test_a_package_that_cannot_be_imported_is_not_left_out(site: Path, broken: str, said: str) -> None:
    written(site, {**packaged(), f"acme_checks/{broken}": "import nothing_such"})
    assert told() == f"{said}: cannot be imported: ModuleNotFoundError: No module named 'nothing_such'"


def test_a_package_that_is_not_there(site: Path) -> None:
    assert told() == "acme_checks: cannot be imported: ModuleNotFoundError: No module named 'acme_checks'"


# Versions


def version(folder: Path, vpn: str = VPN, shared: str = SHARED) -> str:
    known = registry.load([written(folder, acme(vpn, shared))])
    return registry.version(known.checks["acme.vpn.is_up"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('ok("up") if', 'ok("open") if'),
        ("strict=True", "strict=False"),
        ('severity="low")\ndef is_up', 'severity="high")\ndef is_up'),
        ('["up", "rising"]', '["up", "rising", "half"]'),
        ('STATES += ["new"]\n', ""),
        ('in STATES', 'not in STATES'),
        ('calls=["vpn:ListTunnels"]', 'calls=["vpn:DescribeTunnels"]'),
        ('config=tunnel)', 'config={**tunnel})'),
        ("import is_long", "import reaches as is_long"),
        ("LEAST = 2", "LEAST = 3"),
        (">= least", "> least"),
        ("reaches(tunnel, LEAST)", "reaches(tunnel, LEAST + 1)"),
        ("is_alive(tunnel) and", "is_alive(tunnel) or"),
    ],
)  # fmt: skip
def test_a_version_changes_with_what_the_check_does(tmp_path: Path, old: str, new: str) -> None:
    assert old in VPN + SHARED
    changed = VPN.replace(old, new), SHARED.replace(old, new)
    assert version(tmp_path / "new", *changed) != version(tmp_path / "old")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# Half up is up.", "# Half up counts."),
        ("    # Half up is up.\n", ""),
        ('"""Tunnel is up\n', '"""The tunnel is up\n'),
        ("    Fix: turn it on.\n", ""),
        ('    """Every tunnel."""\n', ""),
        ('    """Whether it is long."""\n', ""),
        ('"""Acme\'s tunnels."""', '"""What Acme has."""'),
        ('["up", "rising"]', "[\n    'up',\n    'rising',\n]"),
        ('return ok("up") if', 'return (ok("up")) if'),
        ("(tunnel) and is_long", "(\n        tunnel\n    ) and is_long"),
        ("UNUSED = 1", "UNUSED = 2"),
        ("UNUSED = 1", "UNUSED = 1\n\n\n"),
        ("return 0", "return 1"),
        ('ok("named") if', 'ok("has a name") if'),
        ("check, evidence, fail, ok, resource", "check, evidence, fail, instant, ok, resource"),
    ],
)
def test_a_version_does_not_change_with_what_it_does_not_do(tmp_path: Path, old: str, new: str) -> None:
    assert old in VPN + SHARED
    changed = VPN.replace(old, new), SHARED.replace(old, new)
    assert version(tmp_path / "new", *changed) == version(tmp_path / "old")


@pytest.mark.parametrize(
    ("how", "called"),
    [
        ("from ._shared import is_long as long", "long"),
        ("from . import _shared", "_shared.is_long"),
        ("from . import _shared as common", "common.is_long"),
    ],
)
def test_a_shared_module_counts_however_it_is_imported(tmp_path: Path, how: str, called: str) -> None:
    vpn = VPN.replace("from ._shared import is_long", how).replace("is_long(tunnel)", f"{called}(tunnel)")
    before = version(tmp_path / "old", vpn)
    assert version(tmp_path / "new", vpn, SHARED.replace("LEAST = 2", "LEAST = 3")) != before
    assert version(tmp_path / "same", vpn, SHARED.replace("is long", "is not short")) == before


@pytest.mark.parametrize(
    ("how", "called"),
    [
        ("import acme_checks.acme._shared", "acme_checks.acme._shared.is_long"),
        ("import acme_checks.acme._shared as common", "common.is_long"),
        ("from acme_checks.acme._shared import is_long", "is_long"),
        ("from acme_checks.acme import _shared", "_shared.is_long"),
    ],
)
def test_a_package_s_shared_module_counts_however_it_is_imported(site: Path, how: str, called: str) -> None:
    vpn = VPN.replace("from ._shared import is_long", how).replace("is_long(tunnel)", f"{called}(tunnel)")

    def version(shared: str) -> str:
        forget()
        written(site, packaged(vpn, shared))
        return registry.version(registry.load().checks["acme.vpn.is_up"])

    before = version(SHARED)
    assert version(SHARED.replace("LEAST = 2", "LEAST = 345")) != before
    assert version(SHARED.replace("is long", "is not short")) == before


def test_functions_that_call_each_other_have_a_version(tmp_path: Path) -> None:
    turning = SHARED.replace("return tunnel[", "return is_long(tunnel) or tunnel[")
    assert version(tmp_path / "turning", shared=turning) != version(tmp_path / "straight")


def test_versions_are_the_same_in_every_process() -> None:
    program = (
        "import json; from collector import registry; "
        "print(json.dumps({id: registry.version(one) for id, one in registry.load().checks.items()}))"
    )
    there = json.loads(
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    )
    here = {id_: registry.version(one) for id_, one in registry.load().checks.items()}
    assert there == here
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in here.values())
    assert len(set(here.values())) == len(here), "no two checks are the same code"
