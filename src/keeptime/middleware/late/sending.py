"""Posts what is kept of late requests to a keeptime daemon, from a thread of its own.

Guarantees: no request waits for it. What cannot be told is kept in a ring of MOST and then lost, oldest first, and
counted; an address that is none is refused at once. The token is kept elsewhere, and no redirect takes it there.
"""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from random import Random
from typing import Any

from keeptime.middleware.posting import Unanswered, Where, packed

MOST, AT_ONCE = 300, 20
EVERY, LONGEST, PATIENCE = 3.0, 300.0, 10.0
"""Seconds: between two posts, between two attempts at most, and of one attempt."""
GONE = (400, 404, 409, 413, 422)
"""What is answered to exemplars that will never be taken."""
_PUSH, _EXEMPLARS = "/api/v1/push/", "/api/v1/exemplars/"
_DRAWS = Random()
"""Of its own: what a program draws from the shared one is nobody else's business."""
_LOG = logging.getLogger("keeptime.middleware")
Kept = Mapping[str, Any]


class Sending:
    """`url`: …/api/v1/push/CONTRACT, as counts are posted to, or …/api/v1/exemplars/CONTRACT. Raises ValueError on
    what can never work."""

    def __init__(self, url: str, token: str | None, every: float | None = None) -> None:
        before, found, contract = url.replace(_PUSH, _EXEMPLARS).rpartition(_EXEMPLARS)
        if not found or not contract.strip("/"):
            raise ValueError(
                f"stacks are posted to …{_EXEMPLARS}CONTRACT or …{_PUSH}CONTRACT, and this URL is none"
            )
        self._where, self._every = Where(before + found + contract, token), every or EVERY
        self.forked()

    def forked(self) -> None:
        """In a child: what the parent has, it tells itself."""
        self._waiting: deque[Kept] = deque(maxlen=MOST)
        self._begun, self._lock = False, threading.Lock()
        self.lost, self.problem = 0, ""

    def give(self, those: list[Kept]) -> None:
        """To be told soon."""
        self.lost += max(0, len(self._waiting) + len(those) - MOST)
        self._waiting.extend(those)
        if those and not self._begun:
            with self._lock:
                begun, self._begun = self._begun, True
            if not begun:
                threading.Thread(target=self._run, name="keeptime-late", daemon=True).start()

    def post(self) -> bool:
        """Tell some. Was it taken, or is it no use to try it again?"""
        told = list(self._waiting)[:AT_ONCE]
        try:
            answer = self._where.post(*packed({"exemplars": told}), PATIENCE)
        except Unanswered as error:
            return self._failed(str(error), 0)
        if answer.status >= 300:
            why = f"it answered {answer.status}: {answer.said}"
            return self._failed(why, len(told) if answer.status in GONE else 0)
        self._took(answer.body)
        self._drop(len(told))
        return True

    def _took(self, body: object) -> None:
        """What the daemon does not take of it is counted, and said once."""
        said = body if isinstance(body, dict) else {}
        refused, why = said.get("refused_count"), said.get("refused")
        if isinstance(refused, int) and refused:
            self.lost += refused
            if not self.problem:
                _LOG.warning("keeptime does not take all that is kept of late requests: %s", str(why)[:300])
        self.problem = f"refused: {str(why)[:300]}" if refused else ""

    def _failed(self, why: str, refused: int) -> bool:
        if why != self.problem:
            _LOG.warning("what is kept of late requests does not reach keeptime: %s", why)
        self.problem = why
        self.lost += refused
        self._drop(refused)
        return refused > 0

    def _drop(self, count: int) -> None:
        for _ in range(min(count, len(self._waiting))):
            self._waiting.popleft()

    def _run(self) -> None:
        over, failures = threading.Event(), 0
        while True:
            over.wait(min(LONGEST, self._every * 2.0**failures) * _DRAWS.uniform(0.9, 1.0))
            try:
                while self._waiting and self.post():
                    failures = 0
                failures = min(failures + 1, 10) if self._waiting else 0
            except Exception as error:
                self._failed(f"a bug of keeptime: {type(error).__name__}", 0)
                failures = min(failures + 1, 10)
