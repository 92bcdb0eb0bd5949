"""When the next call of a source is welcome: rate limits are a source's, whichever session meets them.

A run makes one `Pace` for each source and lends it to the source's sessions by `Context.pace`. When a vendor
says to wait, the session that hears it holds the pace, and no session of the source sends anything until the
time is over. Other sources have a pace of their own and go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from uuid import uuid4

from collector.model import NotCollectedError, Reason

EXCEEDED = "rate limit exceeded, and not lifted within `max_wait`"


class Pace:
    """The wait that all sessions of one source keep. For any number of threads.

    A limit may be on all calls or on some only, which the vendor counts on their own: `what` names them (an
    endpoint, a service), "" stands for all.

    Args:
        clock: seconds that never go back.
        sleep: waits so many seconds.

    Workers in another process keep one pace for each source and process: they share no clock, and each
    hears the vendor itself.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.sleep = sleep
        self._clock = clock
        self._key = uuid4().hex
        self._until: dict[str, float] = {}
        self._free = clock()
        self._lock = Lock()

    def __reduce__(self) -> tuple[Callable[[str], Pace], tuple[str]]:
        return _here, (self._key,)

    def hold(self, seconds: float, what: str = "") -> None:
        """Nobody calls before so many seconds are over; a longer wait that is asked already stands."""
        with self._lock:
            self._until[what] = max(self._until.get(what, 0), self._clock() + seconds)

    def left(self, what: str = "") -> float:
        """Seconds until calls of this kind are welcome; 0 if they are."""
        with self._lock:
            until = max(self._until.get("", 0), self._until.get(what, 0))
        return max(0.0, until - self._clock())

    def wait(self, at_most: float, what: str = "") -> float:
        """Waits until calls of this kind are welcome, and tells how many seconds that took.

        Raises:
            NotCollectedError: it would take longer than `at_most` seconds; nothing need be sent to know.
        """
        began = self._clock()
        while (left := self.left(what)) > 0:
            if self._clock() - began + left > at_most:
                raise NotCollectedError(Reason.THROTTLED, EXCEEDED)
            self.sleep(left)
        return self._clock() - began

    def space(self, seconds: float) -> None:
        """Waits for a turn: from one to the next, whoever's they are, it is so many seconds."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._free)
            self._free = turn + seconds
        if turn > now:
            self.sleep(turn - now)


@lru_cache(maxsize=64)
def _here(key: str) -> Pace:
    """The pace in this process that stands for one of another."""
    return Pace()
