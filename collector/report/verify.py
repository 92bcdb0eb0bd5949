"""Verifies a pack of audit evidence. Needs Python 3.9 or newer and nothing else.

    python3 verify.py                 the folder that it lies in, where the pack was unpacked
    python3 verify.py PACK.zip        a pack as it is; or a folder

Exit status: 0 verified; 1 something is not as it was when the pack was made; 2 it cannot be read.

What it proves, in this order:
1. every file is as the manifest says, and there is no other;
2. the head of the journal is signed by the key that the journal names (Ed25519; C2SP checkpoint);
3. every entry of the journal in the pack is in the log of that head (RFC 6962);
4. every change, configuration, verdict, draw and conclusion is what an entry states;
5. the draw comes out the same when it is performed again.

What it cannot prove: that the key is the organisation's, that the pack is the one that was made for you, and
that nothing was left out of it. For these compare the key and the manifest's digest, which it prints, with
what you were told by another way; whoever holds the ledger can verify it whole with `collector verify`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FORMAT = "collector-pack/1"
Files = dict[str, bytes]
"""A pack's files by name."""
Point = tuple[int, int, int, int]
OUTCOMES = ["pass", "fail", "not_tested", "not_applicable"]


def main(arguments: list[str]) -> int:
    """Prints what was verified, or each problem; gives the exit status."""
    place = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        files = read(place)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"{place}: cannot be read: {error}")
        return 2
    said, problems = verify(files)
    print("\n".join(said))
    if problems:
        print("\n".join(f"PROBLEM: {problem}" for problem in problems))
        print(f"NOT verified; problems: {len(problems)}")
        return 1
    print("verified")
    return 0


def verify(files: Files) -> tuple[list[str], list[str]]:
    """What was verified, and what is wrong, a line each."""
    said: list[str] = []
    problems: list[str] = []
    for step in STEPS:
        try:
            problems += step(files, said)
        except Exception as error:  # whatever is wrong in a damaged file, it is a problem
            problems.append(f"{step.__name__}: {type(error).__name__}: {error}")
    return said, problems


def read(place: Path) -> Files:
    """Every file of a pack, by name."""
    if place.is_file():
        with zipfile.ZipFile(place) as archive:
            names = archive.namelist()
            if len(names) != len(set(names)):
                raise ValueError("a file is in it twice")
            return {name: archive.read(name) for name in names}
    found = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        if path.is_file() and not name.startswith("__pycache__/"):
            found[name] = path.read_bytes()
    return found


def canonical(value: Any) -> bytes:
    """JSON as RFC 8785 has it, for what a pack's own files hold: texts, whole numbers, lists, objects."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def check_files(files: Files, said: list[str]) -> Iterator[str]:
    """The manifest is in its one form, and every file is as it says."""
    raw = files["manifest.json"]
    manifest = json.loads(raw)
    if canonical(manifest) != raw or manifest["format"] != FORMAT or set(manifest) != {"files", "format"}:
        yield "manifest.json: is not as this program writes it"
    listed = manifest["files"]
    for name in sorted(listed.keys() | files.keys() - {"manifest.json"}):
        if name not in files:
            yield f"{name}: is missing"
        elif name not in listed:
            yield f"{name}: is not in the manifest"
        elif listed[name] != [len(files[name]), hashlib.sha256(files[name]).hexdigest()]:
            yield f"{name}: is not as it was"
    said.append(f"{len(listed):,} files; SHA-256 of manifest.json: {hashlib.sha256(raw).hexdigest()}")


def entries(files: Files) -> dict[int, bytes]:
    """The entries of the journal, as bytes, by their index."""
    found = {}
    for name, text in files.items():
        folder, _, rest = name.partition("/")
        if folder == "journal" and rest != "proofs.json":
            found[int(rest.partition(".")[0])] = text
    return found


def facts(files: Files, index: int, *kinds: str) -> dict[str, Any]:
    """An entry's facts; it must be of one of these kinds."""
    found: dict[str, Any] = json.loads(files[f"journal/{index}.json"])
    if found["kind"] not in kinds:
        raise ValueError(f"entry {index} is {found['kind']}, not {' or '.join(kinds)}")
    return found


def head(files: Files) -> tuple[str, int, bytes, str, list[str]]:
    """The head: origin, size, root; the text that is signed, and the lines of signatures."""
    text, _, signatures = files["checkpoint.txt"].decode().rpartition("\n\n")
    origin, size, root = text.split("\n")[:3]
    return origin, int(size), base64.b64decode(root), f"{text}\n", signatures.splitlines()


def check_head(files: Files, said: list[str]) -> Iterator[str]:
    """A key that the journal names has signed the head."""
    origin, size, _, text, signatures = head(files)
    named = [json.loads(one) for one in entries(files).values()]
    keys = [one["verifier"] for one in named if one["kind"] in ("ledger", "key")]
    for verifier in keys:
        name, _, rest = verifier.partition("+")
        key = base64.b64decode(rest.partition("+")[2])
        id_ = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
        for line in signatures:
            _, who, encoded = line.split(" ")
            blob = base64.b64decode(encoded)
            if who == name and blob[:4] == id_ and key[:1] == b"\x01":
                if not signed(key[1:], text.encode(), blob[4:]):
                    yield "checkpoint.txt: the signature is wrong"
                said.append(f"head: {origin}, {size:,} entries, signed by {verifier}")
                return
    yield "checkpoint.txt: no key that the journal names has signed it"


def check_entries(files: Files, said: list[str]) -> Iterator[str]:
    """Every entry is in the log of the head."""
    _, size, root, _, _ = head(files)
    proofs = json.loads(files["journal/proofs.json"])
    found = entries(files)
    if proofs["size"] != size or set(proofs["proofs"]) != {str(index) for index in found}:
        yield "journal/proofs.json: is of another head or other entries"
    for index, text in sorted(found.items()):
        proof = [bytes.fromhex(one) for one in proofs["proofs"][str(index)]]
        if not included(hashlib.sha256(b"\0" + text).digest(), index, size, proof, root):
            yield f"journal/{index}.json: is not in the log of the head"
    said.append(f"{len(found):,} entries of the journal are in that log")


def included(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Whether a proof shows that a leaf is in a tree (RFC 9162 section 2.1.3.2, with its names)."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = hashlib.sha256(b"\1" + p + r).digest()
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = hashlib.sha256(b"\1" + r + p).digest()
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def check_changes(files: Files, said: list[str]) -> Iterator[str]:
    """Every list of changes is the one whose length and digest its entry states."""
    number = 0
    for name, raw in files.items():
        folder, _, rest = name.partition("/")
        if folder == "changes":
            index, _, what = rest.partition(".")[0].partition("-")
            stated = facts(files, int(index), "observation", "results")[what]
            made = json.loads(raw)
            number += len(made)
            if stated != [len(made), hashlib.sha256(raw).hexdigest()]:
                yield f"{name}: is not what entry {index} states"
    said.append(f"{number:,} changes are as those entries state")


def check_papers(files: Files, said: list[str]) -> Iterator[str]:
    """Every configuration and verdict in workpaper.json is what an entry states."""
    work = json.loads(files["workpaper.json"])
    stated = {
        name: {tuple(one) for one in json.loads(raw)}
        for name, raw in files.items()
        if name.startswith("changes/")
    }
    number = 0
    for paper in work["papers"]:
        made = [*_configurations(paper), *_verdicts(paper)]
        for index, run, what, change in made:
            entry = facts(files, index, "observation", "results")
            if (entry["scope"], entry["evidence"], entry["run"]) != (paper["scope"], paper["evidence"], run):
                yield f"item {paper['number']}: entry {index} is of another place or run"
            if change not in stated[f"changes/{index}-{what}.json"]:
                yield f"item {paper['number']}: entry {index} does not state {change}"
        for one in paper["configurations"]:
            if hashlib.sha256(files[f"evidence/{one['digest']}.json"]).hexdigest() != one["digest"]:
                yield f"evidence/{one['digest']}.json: is not what was read"
        number += len(made)
    said.append(f"{number:,} configurations and verdicts are what entries state")


def _configurations(paper: dict[str, Any]) -> Iterator[tuple[int, int, str, tuple[Any, ...]]]:
    for one in paper["configurations"]:
        yield one["entry"], one["since_run"], "resources", (paper["resource"], one["name"], one["digest"])


def _verdicts(paper: dict[str, Any]) -> Iterator[tuple[int, int, str, tuple[Any, ...]]]:
    for one in paper["verdicts"]:
        judged = (OUTCOMES.index(one["outcome"]), one["reason"], one["sentence"])
        yield one["entry"], one["since_run"], "results", (one["check"], paper["resource"], *judged)


def check_conclusions(files: Files, said: list[str]) -> Iterator[str]:
    """Every conclusion in workpaper.json is what an entry states, and so is what is attached to it."""
    work = json.loads(files["workpaper.json"])
    last = [one["concluded"] for one in (*work["papers"], *work["days"]) if one["concluded"]]
    concluded = [one for each in last for one in (*each["before"], each)]
    for one in concluded:
        entry = facts(files, one["entry"], "sample.conclude")
        for name in ("sample", "item", "conclusion", "notes", "finding", "auditor", "independent"):
            if entry[name] != one[name]:
                yield f"entry {one['entry']} states another {name} of {one['item']}"
        attached = [[hashlib.sha256(files[name]).hexdigest(), len(files[name])] for name in one["files"]]
        if attached != [rest for _, *rest in entry["attached"]]:
            yield f"entry {one['entry']} states other attachments"
    said.append(f"{len(concluded):,} conclusions are what entries state")


def check_draw(files: Files, said: list[str]) -> Iterator[str]:
    """The population is the one drawn from, and the draw comes out the same."""
    work = json.loads(files["workpaper.json"])
    population = json.loads(files["population.json"])
    sample = work["sample"]
    if not sample:
        if sorted(one["item"] for one in work["papers"]) != population:
            yield "population.json: is not what the papers are of"
        said.append(f"the whole population: {len(population):,} items")
        return
    drawn = facts(files, sample["entry"], "sample.draw", "sample.enlarge")
    for name in ("target", "period", "population", "method", "size", "seed", "items"):
        if drawn[name] != sample[name]:
            yield f"entry {sample['entry']} states another {name}"
    if hashlib.sha256(files["population.json"]).hexdigest() != drawn["population"]["digest"]:
        yield "population.json: is not the population that was drawn from"
    if [one["item"] for one in (*work["papers"], *work["days"])] != drawn["items"]:
        yield "workpaper.json: is of other items than were drawn"
    divided = hashlib.sha256(files.get("divided.json", b"")).hexdigest()
    if drawn["method"].get("digest", divided) != divided:
        yield "divided.json: is not what the population was divided by"
    if again(files, drawn, population) != drawn["items"]:
        yield "the draw comes out otherwise when it is performed again"
    said.append(f"the draw comes out the same: {len(drawn['items']):,} of {len(population):,}")


def again(files: Files, drawn: dict[str, Any], population: list[str]) -> list[str]:
    """The items that a draw gives: see docs/sampling.md, "The draw"."""
    seed, number, method = drawn["seed"], len(drawn["items"]), drawn["method"]
    if method["name"] == "weighted":
        divided = dict(json.loads(files["divided.json"]))
        best = [
            (min(rank(seed, f"{one}\n{t}") for t in range(1, divided[one] + 1)), one) for one in population
        ]
        return [one for _, one in sorted(best)[:number]]
    if method["name"] != "stratified":
        return sorted(population, key=lambda one: (rank(seed, one), one))[:number]
    found = []
    divided = json.loads(files["divided.json"])
    for name, _, taken in method["strata"]:
        within = [one for one, stratum in divided if stratum == name]
        found += sorted(within, key=lambda one: (rank(seed, one), one))[:taken]
    return found


def rank(seed: str, item: str) -> str:
    """What items are drawn by."""
    return hashlib.sha256(f"{seed}\n{item}".encode()).hexdigest()


STEPS: list[Callable[[Files, list[str]], Iterator[str]]] = [
    check_files, check_head, check_entries, check_changes, check_papers, check_conclusions, check_draw,
]  # fmt: skip


# Ed25519 (RFC 8032, section 5.1), only to verify. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a key of 32 bytes signed a message (section 5.1.7)."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    base = point(bytes([0x58]) + bytes([0x66]) * 31)
    assert base is not None  # noqa: S101 - it is the generator
    x1, y1, z1, _ = times(s, base)
    x2, y2, z2, _ = plus(r, times(h, a))
    return (x1 * z2 - x2 * z1) % P == 0 and (y1 * z2 - y2 * z1) % P == 0


def point(encoded: bytes) -> Point | None:
    """A point from its 32 bytes (section 5.1.3); None if they are none."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    u, v = y * y - 1, D * y * y + 1
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (v * x * x - u) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def plus(one: Point, other: Point) -> Point:
    """The sum of two points (section 5.1.4)."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * t1 * t2 * D, 2 * z1 * z2
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, one: Point) -> Point:
    """A point added to itself so often."""
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = plus(total, one)
        one, number = plus(one, one), number >> 1
    return total


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
