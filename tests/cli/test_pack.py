"""`collector sample conclude` and `collector pack`: what an auditor concludes, and takes away."""

from __future__ import annotations

import io
import json
import random
import re
import shlex
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from collector.report import verify
from tests.audit.made import ANN, BO, written
from tests.cli.desk import BUCKETS, Desk
from tests.pages import DOCS, commands, consoles, shown

PUBLIC = "aws.s3.blocks_public_access"
PAGE = (DOCS / "packs.md").read_text(encoding="utf-8")
PERIOD = ("--from", "2026-03-01", "--to", "2026-03-05")


@pytest.fixture
def sampled(sampled: Desk) -> Desk:
    """Its three buckets are drawn."""
    sampled.says("sample", PUBLIC, *PERIOD, "--size", "3", "--seed", "2026")
    return sampled


def concluded(desk: Desk, item: str, conclusion: str, *more: str) -> str:
    return desk.says("sample", "conclude", "s1", item, conclusion, *more)


def packed(desk: Desk, *what: str) -> tuple[Path, str]:
    """The zip, and the digest of its manifest that was printed."""
    file = desk.folder / "pack.zip"
    said = desk.says("pack", *what, "-o", str(file))
    (digest,) = re.findall(r"SHA-256 of its manifest.json: (\w{64}) \(entry", said)
    return file, digest


@pytest.fixture
def pack(sampled: Desk) -> Path:
    """A pack with every conclusion there is, one of them after another, and a file."""
    proof = sampled.folder / "a <proof>.txt"
    proof.write_text("seen")
    concluded(sampled, "1", "effective", "--notes", "=1+1 <b>looked</b>", "--auditor", "Ann Lee")
    concluded(sampled, "2", "exception", "--notes", "open for a day", "--attach", str(proof))
    concluded(sampled, "2", "not-applicable")
    return packed(sampled, "S1")[0]


def test_a_pack_verifies_without_this_program(sampled: Desk) -> None:
    concluded(sampled, "1", "effective")
    file, digest = packed(sampled, "S1")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    folder = sampled.folder / "unpacked"
    zipfile.ZipFile(file).extractall(folder)
    for arguments in ([folder / "verify.py"], [folder / "verify.py", file]):
        done = subprocess.run(
            [sys.executable, "-I", "-S", *arguments], cwd="/", capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert digest in done.stdout
        assert "the draw comes out the same: 3 of 3" in done.stdout
        assert done.stdout.endswith("\nverified\n")
    assert sampled.says("ledger", "key").strip() in done.stdout
    (kept,) = acts(sampled, "pack.make")
    assert kept["manifest"] == digest
    assert sampled("verify").exit_code == 0


def acts(desk: Desk, kind: str) -> list[dict[str, object]]:
    from collector.ledger.queries import Ledger

    with Ledger(desk.ledger) as ledger:
        return [dict(act.facts) for act in ledger.acts(kind)]


def test_one_changed_byte_anywhere_is_found(pack: Path) -> None:
    files = verify.read(pack)
    assert verify.verify(files)[1] == []
    chance = random.Random(20261125)  # noqa: S311 - the same each time
    for name, data in files.items():
        for place in {0, len(data) - 1, *(chance.randrange(len(data)) for _ in range(3))}:
            changed = bytearray(data)
            changed[place] ^= 1 << chance.randrange(8)
            assert verify.verify({**files, name: bytes(changed)})[1], f"{name}, byte {place}"


def test_what_is_missing_or_beside_it_is_found(pack: Path) -> None:
    files = verify.read(pack)
    for name in files:
        assert verify.verify({one: data for one, data in files.items() if one != name})[1], name
    assert verify.verify({**files, "more.txt": b""})[1] == ["more.txt: is not in the manifest"]


def forged(files: verify.Files, name: str, before: str, after: str) -> list[str]:
    """What is said of a pack in which somebody wrote something else, and made the manifest fit."""
    assert before in files[name].decode(), name
    files = {**files, name: files[name].decode().replace(before, after).encode()}
    listed = {
        one: [len(data), verify.hashlib.sha256(data).hexdigest()]
        for one, data in files.items()
        if one != "manifest.json"
    }
    files["manifest.json"] = verify.canonical({"files": listed, "format": verify.FORMAT})
    return verify.verify(files)[1]


def test_a_pack_whose_manifest_was_made_to_fit_is_found_out(pack: Path) -> None:
    files = verify.read(pack)
    work = json.loads(files["workpaper.json"])
    paper = next(one for one in work["papers"] if one["name"] == "site")
    failed = next(one for one in paper["verdicts"] if one["outcome"] == "fail")
    evidence = paper["configurations"][0]["file"]
    stated = f"journal/{failed['entry']}.json"
    assert "does not state" in forged(files, "workpaper.json", '"outcome":"fail"', '"outcome":"pass"')[0]
    assert "is not what was read" in forged(files, evidence, "false", "true")[0]
    assert "not in the log" in forged(files, stated, '"complete"', '"partial"')[0]
    changes = f"changes/{failed['entry']}-results.json"
    assert any("is not what entry" in one for one in forged(files, changes, failed["sentence"], "fine"))
    assert "another notes" in forged(files, "workpaper.json", "open for a day", "it was nothing")[0]
    assert "another seed" in forged(files, "workpaper.json", '"seed":"2026"', '"seed":"2027"')[0]
    assert "drawn from" in forged(files, "population.json", "archive", "another")[0]
    assert "signature is wrong" in forged(files, "checkpoint.txt", "acme/ledger\n", "acme/lodger\n")[0]
    (attached,) = [name for name in files if name.startswith("attachments/")]
    assert "other attachments" in forged(files, attached, "seen", "unseen")[0]


def test_the_page_and_the_workbook(pack: Path) -> None:
    files = verify.read(pack)
    page = files["index.html"].decode()
    assert "&lt;b&gt;looked&lt;/b&gt;" in page and "<b>looked" not in page
    assert "src=" not in page and "http" not in re.sub(r"https?://[^\"<]*(s3|docs)", "", page), "stands alone"
    assert f"{PUBLIC}: fail from 2026-03-02, pass from 2026-03-03" in page
    assert all(f'id="item-{number}"' in page for number in (1, 2, 3))
    assert "CC6.1" in page, "what it shows in the other framework"
    book = openpyxl.load_workbook(io.BytesIO(files["workpaper.xlsx"]))
    rows = list(book["Workpaper"].iter_rows(values_only=True))
    head = list(rows[0])
    assert rows[1][head.index("Conclusion")] == "effective"
    assert rows[1][head.index("Notes")] == "'=1+1 <b>looked</b>"
    assert rows[1][head.index("Auditor")] == "Ann Lee"
    assert rows[3][head.index("Conclusion")] is None
    assert {row[1] for row in list(book["Attributes"].iter_rows(values_only=True))[1:]} == {PUBLIC}
    assert book["Attributes"]["F2"].value.startswith("version ")


def test_a_pack_of_the_same_ledger_is_the_same(sampled: Desk) -> None:
    first = verify.read(packed(sampled, "S1")[0])
    (sampled.folder / "pack.zip").unlink()
    second = verify.read(packed(sampled, "S1")[0])
    differ = {name for name in first if first[name] != second[name]}
    assert differ == {"checkpoint.txt", "journal/proofs.json", "manifest.json"}, (
        "the act of packing came between"
    )


def test_a_pack_of_a_whole_population(sampled: Desk) -> None:
    file, _ = packed(sampled, PUBLIC, *PERIOD)
    said, problems = verify.verify(verify.read(file))
    assert problems == []
    assert "the whole population: 3 items" in said
    assert sampled.refused("pack", PUBLIC).startswith(f"{PUBLIC}: say of which period")
    assert "give both" in sampled.refused("pack", PUBLIC, "--from", "2026-03-01")
    assert "there is no sample 'S7'" in sampled.refused("pack", "S7")
    assert "exists already" in sampled.refused("pack", "S1", "-o", str(file))
    assert sorted(one.name for one in sampled.folder.glob("*.part")) == []


@pytest.mark.parametrize(
    "how",
    [
        ("--method", "dates", "--size", "2"),
        ("--method", "weighted", "--size", "2"),
        ("--by", "severity", "--size", "2"),
    ],
    ids=lambda how: how[1],
)
def test_every_way_to_draw_is_performed_again(sampled: Desk, how: tuple[str, ...]) -> None:
    sampled.says("sample", PUBLIC, *PERIOD, *how, "--seed", "again")
    sampled.says("sample", "conclude", "S2", "1", "effective")
    sampled.says("sample", "enlarge", "S2", "--size", "3")
    files = verify.read(packed(sampled, "S2")[0])
    said, problems = verify.verify(files)
    assert problems == []
    assert any(one.startswith("the draw comes out the same: 3 of ") for one in said)
    assert json.loads(files["workpaper.json"])["sample"]["concluded"]["effective"] == 1


def test_a_renewed_key_is_in_the_pack(sampled: Desk) -> None:
    sampled.says("ledger", "new-key")
    said, problems = verify.verify(verify.read(packed(sampled, "S1")[0]))
    assert problems == []
    assert any(sampled.says("ledger", "key").strip() in one for one in said)


def test_conclusions_that_are_refused(sampled: Desk) -> None:
    assert "say what the exception is" in sampled.refused("sample", "conclude", "S1", "1", "exception")
    assert "has no item '4'" in sampled.refused("sample", "conclude", "S1", "4", "effective")
    assert "no finding 'F-1'" in sampled.refused(
        "sample", "conclude", "S1", "1", "effective", "--finding", "F-1"
    )
    empty = sampled.folder / "empty"
    empty.touch()
    assert "is empty" in sampled.refused("sample", "conclude", "S1", "1", "effective", "--attach", str(empty))
    assert acts(sampled, "sample.conclude") == []
    concluded(sampled, "1", "effective")
    said = sampled.refused("sample", "conclude", "S1", "1", "effective", "--after", "1")
    assert "did sample.conclude meanwhile" in said, "two auditors at once"
    sampled.says("sample", "withdraw", "S1", "--reason", "wrong")
    assert "was withdrawn" in sampled.refused("sample", "conclude", "S1", "1", "effective")
    assert "was withdrawn" in sampled.refused("pack", "S1")


def test_who_is_not_independent_concludes_nothing(sampled: Desk) -> None:
    said = concluded(sampled, "1", "effective", "--auditor", "anybody")
    assert "independence was not examined" in said
    tied = {**BO, "ties": [{"how": "operates", "what": "data.storage-not-public"}]}
    sampled.change(programme="programme.yaml")
    written(sampled.folder, auditors=[ANN, tied])
    conclude = ("sample", "conclude", "S1", "1", "effective")
    assert "name who concludes" in sampled.refused(*conclude)
    assert "cannot audit" in sampled.refused(*conclude, "--auditor", "Bo Berg")
    assert "not examined" not in sampled.says(*conclude, "--auditor", "ann lee")
    assert [one["auditor"] for one in acts(sampled, "sample.conclude")] == ["anybody", "Ann Lee"]


def test_what_is_damaged_is_not_packed(sampled: Desk) -> None:
    import sqlite3

    with sqlite3.connect(sampled.ledger) as db:
        db.execute("UPDATE result SET sentence = 'fine' WHERE outcome = 1")
    said = sampled("pack", "S1", "-o", str(sampled.folder / "pack.zip"))
    assert said.exit_code == 2
    assert "is not what was recorded" in said.stderr
    assert not (sampled.folder / "pack.zip").exists()


def test_docs_packs_followed_literally(sampled: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sampled.folder)
    sampled.change(programme="programme.yaml")
    written(sampled.folder)
    Path("console.txt").write_text("site: public")
    for command, told in (one for block in consoles(PAGE) for one in commands(block)):
        program, *arguments = shlex.split(command)
        if program == "python3":
            with zipfile.ZipFile("S1.zip") as archive:
                archive.extract("verify.py")
            done = subprocess.run(
                [sys.executable, "-I", *arguments], capture_output=True, text=True, check=True
            )
            said = done.stdout
        else:
            said = sampled.says(*arguments)
        for line in told:
            assert shown(line, said.splitlines()), f"{command}\n{line}\nis not in\n{said}"
    listed = set(re.findall(r"^\| `([\w.]+)/?`", PAGE, re.MULTILINE))
    inside = {name.partition("/")[0] for name in verify.read(Path("S1.zip"))}
    assert listed == inside


def test_of_evidence_without_checks(sampled: Desk) -> None:
    sampled.says("sample", BUCKETS, *PERIOD, "--size", "1")
    assert verify.verify(verify.read(packed(sampled, "S2")[0]))[1] == []
