"""The demo's company at work: its platforms in a process of their own, whose clock shows simulated dates.

The process says in a line of JSON on its standard output where it answers. For each date on its standard
input it says another, once all that happened by then has happened. It ends when its input does.

    {"addresses": {"aws": "http://127.0.0.1:40001", "gcp_grpc": "127.0.0.1:40005", ...}, "environment": {...}}
    < 2026-03-31T06:00:00+00:00
    {"now": "2026-03-31T06:00:00+00:00"}
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any, NoReturn

FIRST = datetime(2026, 3, 2, 6, tzinfo=UTC)
SECOND = datetime(2026, 3, 31, 6, tzinfo=UTC)
"""When the two runs take place."""

QUIET = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "CLOUDSDK_CONFIG": f"{os.devnull}/none",
    "NO_GCE_CHECK": "true",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}
"""What keeps the user's own credentials, endpoints and proxies out of the demo."""

FOREIGN = ("AWS_", "CLOUDSDK_", "GOOGLE_", "OKTA_")
"""How variables begin that would lead the platforms' clients elsewhere."""

MOTO = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}


@dataclass(frozen=True)
class Clock:
    """A clock that is ahead of the real one, or behind it, and ticks as it does."""

    ahead: timedelta

    @classmethod
    def at(cls, when: datetime) -> Clock:
        """A clock that shows this time now."""
        return cls(when - datetime.now(UTC))

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def apart(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without anything that would lead the platforms' clients elsewhere."""
    return {name: value for name, value in environment.items() if not name.startswith(FOREIGN)} | QUIET


class StandInsError(Exception):
    """The process of the stand-ins ended early."""


class StandIns:
    """The process of the stand-ins, as seen from outside; a context manager that ends it.

    Fields:
        addresses: where they answer, by what `folder.CONFIG` calls it.
        environment: the credentials to reach them with.

    Raises:
        StandInsError: it ended; `log` says why.
    """

    def __init__(self, log: IO[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=apart(os.environ) | MOTO,
        )
        try:
            ready = self._answer()
        except BaseException:
            self.close()
            raise
        self.addresses: dict[str, str] = ready["addresses"]
        self.environment: dict[str, str] = ready["environment"]

    def __enter__(self) -> StandIns:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process, whatever it is at."""
        self._process.kill()
        self._process.communicate()

    def advance(self, until: datetime) -> None:
        """Lets time go by until then."""
        assert self._process.stdin  # noqa: S101 - it is a pipe
        try:
            print(until.isoformat(), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise StandInsError from None
        self._answer()

    def wait(self) -> NoReturn:
        """Waits as long as they answer."""
        self._process.wait()
        raise StandInsError

    def _answer(self) -> Any:
        assert self._process.stdout  # noqa: S101 - it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise StandInsError
        return json.loads(line)


class _Company:
    """Its platforms, and the time there."""

    def __init__(self) -> None:
        from freezegun import freeze_time
        from moto.moto_api._internal import mock_random

        from collector.demo import aws, gcp, gcp_company, github, github_company, okta, okta_company
        from collector.demo.aws_company import Aws, prepare_moto
        from collector.demo.aws_history import HISTORY

        self._history = sorted(HISTORY, key=lambda entry: entry[0])
        self._clock = freeze_time(self._history[0][0], tick=True).start()
        self._random = mock_random
        prepare_moto()
        self._aws = aws.serve({}, moto=True)
        self._accounts = Aws(self._aws.url)
        self._github = github.serve(github.Company(github_company.FACTS, FIRST))
        self._okta = okta.serve(okta.Company(okta_company.FACTS, FIRST))
        self._gcp = gcp.serve(gcp.Company(gcp_company.FACTS, FIRST))

    def advance(self, until: datetime) -> None:
        """Lets everything happen that happened by then."""
        from collector.demo import gcp_company, github_company, okta_company
        from collector.demo.aws_answers import answers

        while self._history and (morning := f"{self._history[0][0]}T09:00:00+00:00") <= until.isoformat():
            day, happen = self._history.pop(0)
            self._clock.move_to(morning)
            self._random.seed(day)  # the same ids every time
            happen(self._accounts)
        self._clock.move_to(until)
        self._aws.give(answers(self._accounts, until))
        for one in (self._github, self._okta, self._gcp):
            one.company.now = until
        if until > FIRST:
            self._github.company.facts = github_company.changed(github_company.FACTS)
            self._okta.company.answers = okta_company.changed(okta_company.FACTS)
            self._gcp.company.facts = gcp_company.changed(gcp_company.FACTS)

    @property
    def addresses(self) -> dict[str, str]:
        """Where each platform answers, by what `folder.CONFIG` calls it."""
        return {
            "aws": self._aws.url,
            "github": self._github.url,
            "okta": self._okta.url,
            "gcp": self._gcp.url,
            "gcp_grpc": self._gcp.grpc,
        }

    @property
    def environment(self) -> dict[str, str]:
        """The credentials of the collector's user, and the tokens of GitHub and Okta."""
        from collector.demo import github, okta

        named = self._accounts.named
        keys = {name: named[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        return {**keys, "GITHUB_TOKEN": github.TOKEN, "OKTA_API_TOKEN": okta.TOKEN}


def main() -> None:
    """Answers until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends this
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what moto prints belongs into the log
    asked: SimpleQueue[str] = SimpleQueue()
    Thread(target=_listen, args=(asked,), daemon=True).start()
    company = _Company()
    company.advance(FIRST)
    ready = {"addresses": company.addresses, "environment": company.environment}
    print(json.dumps(ready), file=out, flush=True)
    while True:
        until = asked.get()
        company.advance(datetime.fromisoformat(until))
        print(json.dumps({"now": until}), file=out, flush=True)


def _listen(asked: SimpleQueue[str]) -> None:
    """Takes in what is asked for, and ends the process when the input ends, whatever it is at."""
    for line in sys.stdin:
        asked.put(line.strip())
    os._exit(0)


if __name__ == "__main__":
    main()
