"""The files of docs/writing-a-check.md, used against servers of the test that the page does not show."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import mappings
from checks.aws import sqs
from collector.demo.aws import serve
from collector.model import UserError
from collector.testing import not_collected, verdict

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "writing-a-check.md").read_text(encoding="utf-8")
FILE = re.compile(r"^`([\w./-]+)`[^\n]*\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)


PACKAGE = [
    "acme-vpn/pyproject.toml",
    "acme-vpn/acme_vpn/__init__.py",
    "acme-vpn/acme_checks/__init__.py",
    "acme-vpn/acme_checks/vpn/users.py",
    "acme-vpn/acme_checks/vpn/__init__.py",
    "acme-vpn/acme_mappings/controls/vpn.yaml",
]
FOLDER = ["own/aws/messages.py", "links/controls/own.yaml", "config.yaml", "test_messages.py"]
USERS = [
    {"name": "ada", "email": "ada@acme.example", "second_factor": True},
    {"name": "bob", "email": "bob@acme.example", "second_factor": False},
]


def write(folder: Path, names: list[str]) -> None:
    """Writes files as the page has them."""
    files = dict(FILE.findall(PAGE))
    assert files.keys() == {*FOLDER, *PACKAGE, "vpn.yaml"}
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(files[name], encoding="utf-8")


def run(folder: Path, *command: str, status: int = 0, path: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_files_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path, FOLDER)
    assert "1 passed" in run(tmp_path, "pytest", "-p", "no:cacheprovider", "test_messages.py")
    shown = run(tmp_path, "collector", "checks", "aws.messages.keep_a_week")
    assert "Queue keeps messages for a week" in shown
    assert "acme.messages" in shown
    attributes = {"QueueArn": "arn:aws:sqs:eu-west-1:111122223333:slow", "MessageRetentionPeriod": "86400"}
    answers = {
        "sqs.ListQueues": {"QueueUrls": ["https://sqs.eu-west-1.amazonaws.com/111122223333/slow"]},
        "sqs.GetQueueAttributes": {"Attributes": attributes},
    }
    with serve(answers, moto=False) as server:
        config = (tmp_path / "config.yaml").read_text(encoding="utf-8")
        there = f"platform: aws, regions: [eu-west-1], attempts: 1, endpoint_url: '{server.url}'"
        (tmp_path / "config.yaml").write_text(config.replace("platform: aws", there), encoding="utf-8")
        run(tmp_path, "collector", "run", "--check", "aws.messages.keep_a_week")
    assert "kept 1 d" in run(tmp_path, "collector", "show", "aws.messages.keep_a_week")


class Gateway(BaseHTTPRequestHandler):
    """The VPN's API."""

    def do_GET(self) -> None:
        body = json.dumps(USERS if self.path == "/users" else {"up": True}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Says nothing."""


@pytest.fixture
def gateway() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_platform_in_a_package(tmp_path: Path, gateway: str) -> None:
    """Built and installed as pip does it, beside the collector; the commands say what the page says."""
    write(tmp_path, [*PACKAGE, "vpn.yaml"])
    site = str(tmp_path / "site")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation")
    run(tmp_path, "pip", "install", *quiet, "--target", site, "./acme-vpn")
    config = tmp_path / "vpn.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("http://127.0.0.1:8765", gateway))
    console = re.search(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert console
    shown: dict[str, str] = {}
    for line in console[1].splitlines():
        if line.startswith("$ "):
            words = line[2:].split()
            shown[line] = run(tmp_path, *words, path=site) if words[0] == "collector" else ""
        else:
            assert line in shown["$ collector run -c vpn.yaml"].splitlines()
    assert "second factor off" in shown["$ collector show vpn.users.user_has_second_factor -c vpn.yaml"]
    assert "authentication.mfa-for-everyone" in run(
        tmp_path, "collector", "checks", "vpn.users.user_has_second_factor", "-c", "vpn.yaml", path=site
    )
    review = (tmp_path / "review.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[1:4] for line in review[1:]] == [
        ["vpn", "office:main", "ada"],
        ["vpn", "office:main", "bob"],
    ]


def test_a_verdict_takes_only_what_the_check_takes() -> None:
    with pytest.raises(TypeError, match=r"aws\.sqs\.queue_is_not_public takes no max_days, queues"):
        verdict(sqs.queue_is_not_public, {}, needs={"queues": []}, max_days=1)


def test_a_field_that_was_not_collected_says_why() -> None:
    said = verdict(sqs.queue_is_not_public, {"Attributes": not_collected("denied", "no right to it")})
    assert (said.outcome, said.sentence) == ("not_tested", "no right to it")


def offer(site: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    info = site / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[collector.mappings]\nacme = {package}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(site)


def test_a_package_offers_its_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path, monkeypatch, "acme_mappings")
    folder = tmp_path / "acme_mappings" / "controls"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(dict(FILE.findall(PAGE))["links/controls/own.yaml"], encoding="utf-8")
    (link,) = mappings.load().controls["acme.messages"].checks
    assert link.check == "aws.messages.keep_a_week"


def test_a_mapping_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path, monkeypatch, "acme_nothing")
    with pytest.raises(UserError, match=r"collector\.mappings: acme: acme_nothing is no package$"):
        mappings.load()
