"""How often: token buckets by caller."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_REMEMBERED = 10_000


class Buckets:
    """Lets each caller do so much a minute; what was not used is saved, up to a minute's worth."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, per_minute: float) -> float:
        """Take one; return 0, or the seconds until there is one again."""
        now = self._clock()
        with self._lock:
            left, seen = self._left.pop(key, (per_minute, now))
            left = min(per_minute, left + (now - seen) * per_minute / 60)
            wait = 0.0 if left >= 1 else (1 - left) * 60 / per_minute
            self._left[key] = (left - (wait == 0), now)
            while len(self._left) > _REMEMBERED:
                self._left.popitem(last=False)
        return wait
