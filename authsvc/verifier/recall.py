"""What authsvc said, for as long as it is believed."""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from authsvc.principals import Principal

MOST = 10_000


class Recall:
    """By the digest of the question: no credential stays in memory. The oldest answer goes when there are too many."""

    def __init__(self, lasting: timedelta) -> None:
        self._lasting = lasting
        self._said: OrderedDict[str, tuple[datetime, Principal]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, question: str, now: datetime) -> Principal | None:
        at, who = self._said.get(question, (None, None))
        return who if at is not None and abs(now - at) < self._lasting else None

    def keep(self, question: str, who: Principal, now: datetime) -> None:
        if not self._lasting:
            return
        with self._lock:
            self._said[question] = (now, who)
            self._said.move_to_end(question)
            if len(self._said) > MOST:
                self._said.popitem(last=False)
