"""How the schedule is: for people and monitors as JSON, for Prometheus as text, at a local endpoint.

The metrics are in Prometheus' text format
(https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from collector import __version__
from collector.engine.run import Summary
from collector.model import Outcome, Severity, UserError, iso

LONGEST_RUN = 24 * 3600
"""Seconds after which a run in hand is taken to hang."""
LONGEST_PAUSE = 120
"""Seconds without a sign of life, outside a run, after which the schedule is taken to hang."""


@dataclass(frozen=True)
class InHand:
    """The run that is under way. `since` in seconds of a clock that is never set."""

    name: str
    slot: datetime
    since: float


@dataclass(frozen=True)
class Last:
    """How an entry's last run ended: `finished`, `interrupted`, `failed`, or `waiting` for another run."""

    slot: datetime
    at: datetime
    seconds: float
    state: str
    detail: str = ""
    summary: Summary | None = None


@dataclass
class Vitals:
    """What the schedule says of itself. It is written by the schedule and read by the endpoint.

    `problem` is why the ledger cannot be read; `config_problem` why the configuration as it stands now was
    not taken. `gaps` are the days on which nothing was read, of the last 30, by source.
    """

    beat: float = 0.0
    in_hand: InHand | None = None
    next: dict[str, datetime | None] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    last: dict[str, Last] = field(default_factory=dict)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    problem: str = ""
    config_problem: str = ""
    gaps: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def problems(self, monotonic: float) -> list[str]:
        """Why the schedule is not healthy; empty if it is. A configuration not taken stops nothing."""
        found = [self.problem] if self.problem else []
        if self.in_hand and monotonic - self.in_hand.since > LONGEST_RUN:
            found.append(f"the run of {self.in_hand.name} takes longer than a day")
        if not self.in_hand and monotonic - self.beat > LONGEST_PAUSE:
            found.append(f"no sign of life for {monotonic - self.beat:.0f} s")
        if not self.in_hand:
            found += [f"{name} is late" for name in self.late]
        found += [
            f"{name}: {last.detail}" for name, last in sorted(self.last.items()) if last.state == "failed"
        ]
        return found

    def document(self, monotonic: float) -> dict[str, Any]:
        """All of it, for machines."""
        with self.lock:
            problems, hand = self.problems(monotonic), self.in_hand
            return {
                "healthy": not problems,
                "problems": problems,
                "config_problem": self.config_problem,
                "in_hand": hand
                and {
                    "name": hand.name,
                    "slot": iso(hand.slot),
                    "seconds": round(monotonic - hand.since, 1),
                },
                "runs": {name: self._run(name) for name in sorted(self.next)},
                "gap_days": self.gaps,
                "version": __version__,
            }

    def _run(self, name: str) -> dict[str, Any]:
        following, last = self.next[name], self.last.get(name)
        return {
            "next": following and iso(following),
            "last": last
            and {
                "slot": iso(last.slot),
                "at": iso(last.at),
                "seconds": round(last.seconds, 1),
                "state": last.state,
                "detail": last.detail,
                "run": last.summary.run if last.summary else None,
            },
        }

    def metrics(self, monotonic: float) -> str:
        """All of it, for Prometheus."""
        with self.lock:
            return "".join(_lines(self, monotonic))


def _lines(vitals: Vitals, monotonic: float) -> Iterator[str]:
    hand, finished = vitals.in_hand, [one for one in vitals.last.items() if one[1].summary]
    yield from _metric("build_info", "gauge", "The program's version.", {(("version", __version__),): 1})
    yield from _metric(
        "schedule_healthy", "gauge", "Whether all is well.", {(): int(not vitals.problems(monotonic))}
    )
    yield from _metric(
        "config_valid",
        "gauge",
        "Whether the configuration as it stands was taken.",
        {(): int(not vitals.config_problem)},
    )
    yield from _metric("run_in_hand", "gauge", "Whether a run is under way.", {(): int(bool(hand))})
    yield from _metric(
        "run_in_hand_seconds",
        "gauge",
        "For how long the run under way has been so.",
        {(): round(monotonic - hand.since, 3) if hand else 0},
    )
    yield from _metric(
        "next_run_timestamp_seconds",
        "gauge",
        "When the next run begins.",
        {(("name", name),): when.timestamp() for name, when in vitals.next.items() if when},
    )
    yield from _metric(
        "runs_total",
        "counter",
        "Runs since the schedule was started, by how they ended.",
        {(("name", name), ("state", state)): n for (name, state), n in vitals.ended.items()},
    )
    yield from _metric(
        "missed_runs_total",
        "counter",
        "Runs recorded as missed since the schedule was started.",
        {(("name", name),): n for name, n in vitals.missed.items()},
    )
    yield from _metric(
        "last_run_timestamp_seconds",
        "gauge",
        "When the last run ended that finished.",
        {(("name", name),): last.at.timestamp() for name, last in finished},
    )
    yield from _metric(
        "last_run_duration_seconds",
        "gauge",
        "How long the last run took that finished.",
        {(("name", name),): round(last.seconds, 3) for name, last in finished},
    )
    yield from _metric(
        "last_run_results",
        "gauge",
        "Verdicts of the last run that finished.",
        {
            (("name", name), ("outcome", outcome.value)): last.summary.outcomes[outcome]
            for name, last in finished
            if last.summary
            for outcome in Outcome
        },
    )
    yield from _metric(
        "last_run_failures",
        "gauge",
        "Failures that the last run found, by severity.",
        {
            (("name", name), ("severity", severity.value)): last.summary.failures[severity]
            for name, last in finished
            if last.summary
            for severity in Severity
        },
    )
    yield from _metric(
        "last_run_incomplete",
        "gauge",
        "Whether the last run that finished could not collect something.",
        {(("name", name),): int(last.summary.incomplete) for name, last in finished if last.summary},
    )
    yield from _metric(
        "gap_days",
        "gauge",
        "Days of the last 30 on which nothing was read of a source.",
        {(("source", source),): n for source, n in vitals.gaps.items()},
    )


def _metric(
    name: str, kind: str, says: str, values: Mapping[tuple[tuple[str, str], ...], float]
) -> Iterator[str]:
    """One metric with its values by label. No label of ours holds what would have to be escaped."""
    if values:
        yield f"# HELP collector_{name} {says}\n# TYPE collector_{name} {kind}\n"
    for labels, value in values.items():
        inside = ",".join(f'{label}="{text}"' for label, text in labels)
        yield f"collector_{name}{{{inside}}} {value}\n" if labels else f"collector_{name} {value}\n"


@contextmanager
def served(vitals: Vitals, endpoint: str, monotonic: Callable[[], float]) -> Iterator[None]:
    """Serves `/health` (200, or 503 if not healthy) and `/metrics`, for as long as it is entered.

    Raises:
        UserError: nothing can be served there.
    """

    class Handler(BaseHTTPRequestHandler):
        server_version = "collector"
        sys_version = ""
        timeout = 10

        def do_GET(self) -> None:
            if self.path == "/health":
                document = vitals.document(monotonic())
                status = 200 if document["healthy"] else 503
                self._answer(status, "application/json", json.dumps(document, indent=1) + "\n")
            elif self.path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4; charset=utf-8", vitals.metrics(monotonic()))
            else:
                self._answer(404, "text/plain; charset=utf-8", "here are /health and /metrics\n")

        def _answer(self, status: int, kind: str, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named so by the base class
            """Every few seconds a monitor asks: nothing to tell."""

    host, _, port = endpoint.rpartition(":")
    try:
        server = ThreadingHTTPServer((host, int(port)), Handler)
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or error
        raise UserError(f"schedule: endpoint: {endpoint} cannot be served: {said}; name another") from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="endpoint", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def asked(endpoint: str) -> dict[str, Any]:
    """What the schedule at an endpoint says of its health.

    Raises:
        UserError: nothing answers there, or something else does.
    """
    url = f"http://{endpoint}/health"
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
            document = json.load(answer)
    except urllib.error.HTTPError as error:
        try:
            document = json.load(error)
        except ValueError:
            document = None
    except (OSError, ValueError) as error:
        said = getattr(error, "reason", error)
        raise UserError(f"no schedule answers at {endpoint}: {said}") from None
    if not isinstance(document, dict) or "healthy" not in document:
        raise UserError(f"what answers at {endpoint} is no schedule")
    return document
