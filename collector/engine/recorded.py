"""Reads back what a run recorded, as checks see it: for checks on several scopes, and to test again."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from collector.engine.plan import related, unplanned
from collector.engine.test import Reading
from collector.ledger.queries import Ledger
from collector.model import Gap, NotCollected, Reason, Scope, Seen, State
from collector.sdk import Accounts, Check, Evidence, Owners

AT_HAND = 256
"""So many readings are kept: enough for one account's regions, whatever the number of accounts."""


class Recorded:
    """What is known at a run: its own evidence, and what earlier runs recorded, so long as it is not stale.

    If `earlier`, what is stale counts as well.
    """

    def __init__(self, ledger: Ledger, run: int, *, earlier: bool = False) -> None:
        known, plan = ledger.scopes(), ledger.run_document(run, "plan")
        self._ledger = ledger
        self._run = run
        self._started = ledger.run(run).started
        self._earlier = earlier
        self._freshness = ledger.freshness(run)
        self._scopes = [known[key] for key in dict.fromkeys(one.scope for one in ledger.observed(run))]
        self._platforms = {name: source["platform"] for name, source in plan["sources"].items()}
        self._gaps = [
            Gap(source, place, NotCollected(Reason(reason), detail))
            for source, place, reason, detail in plan["gaps"]
        ]
        self.reading = lru_cache(AT_HAND)(self._reading)

    def scopes(self, evidence: Evidence) -> list[Scope]:
        """The scopes that an evidence is read from."""
        return [one for one in self._scopes if one.platform == evidence.platform and one.kind == evidence.per]

    def needs(self, declared: Check | Accounts | Owners, scope: Scope) -> dict[str, list[Reading]]:
        """What is known of the evidence that is needed with a resource of `scope`, by keyword."""
        return {
            name: [*self._readings(need, related(scope, need, self._scopes)), *self._unplanned(need, scope)]
            for name, need in declared.needs.items()
            if name not in declared.optional or need.platform in self._platforms.values()
        }

    def _reading(self, scope: Scope, evidence: str) -> Reading | None:
        observed = self._ledger.observation(scope.key, evidence, self._run)
        if observed is None:
            return None
        stale = observed.stale(self._started.date(), self._freshness)
        if stale and not self._earlier and observed.state is not State.GONE:
            last = f"{evidence} was last read in {scope.key} on {observed.at.date()}"
            return self._nothing(scope, NotCollected(Reason.NOT_SEEN, last))
        seen = self._ledger.seen(scope.key, evidence, self._run)
        return Reading(scope, seen) if seen else None

    def _readings(self, need: Evidence, scopes: Iterable[Scope]) -> Iterable[Reading]:
        missing = NotCollected(Reason.NO_EVIDENCE, f"no evidence {need.id} so far")
        return [self.reading(scope, need.id) or self._nothing(scope, missing) for scope in scopes]

    def _unplanned(self, need: Evidence, scope: Scope) -> Iterable[Reading]:
        if need.platform == scope.platform and need.per == scope.kind:
            return []
        gaps = unplanned(scope, need, self._gaps, self._platforms)
        return [self._nothing(scope, gap.missing) for gap in gaps]

    def _nothing(self, scope: Scope, missing: NotCollected) -> Reading:
        return Reading(scope, Seen(self._started, State.FAILED, (), missing.reason, missing.detail))
