"""What is told: transitions of an objective, the message about one, and its way to each receiver."""

from dataclasses import dataclass
from enum import StrEnum

from keeptime.model.key import ObjectiveKey
from keeptime.model.numbers import Numbers
from keeptime.model.reach import Reach, reach_of
from keeptime.model.verdict import Condition, Severity


class AlertState(StrEnum):
    """The life of an alert: inactive → pending → firing → resolved."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Topic(StrEnum):
    """What a receiver can be told about (a consumer's `about`).

    `withdrawn` is no one's to ask for: whoever heard of an alert is told that it is watched no more.
    """

    AT_RISK = "at_risk"
    BROKEN = "broken"
    RECOVERED = "recovered"
    NO_DATA = "no_data"
    WITHDRAWN = "withdrawn"


ENDINGS = frozenset({Topic.RECOVERED, Topic.WITHDRAWN})
"""After these the alert is over."""


class Aside(StrEnum):
    """What a message that is no transition of an objective is about: nobody asks for it in `about`.

    `EXPLAINED` tells the operators why an objective is missed whose alert they were told of. `TEST` only tries a
    receiver, and is never stored. `SERVICE` tells the operators of keeptime itself. `HEARTBEAT` is a sign of life:
    given at its own pace, never stored and never tried again. `REPORT` is the report of a period that is over, for
    whoever asked for it.
    """

    TEST = "test"
    SERVICE = "service"
    HEARTBEAT = "heartbeat"
    EXPLAINED = "explained"
    REPORT = "report"


OPERATORS = "operators"
"""The audience of the provider's own on-call. No consumer has this name."""

KEEPTIME = "(keeptime)"
"""What stands for an objective in a message about keeptime itself. No objective's name has parentheses."""

REPORTED = "(report)"
"""The same in a report."""


def topic_of(text: str) -> Topic | Aside:
    """The topic of this name. Raises ValueError."""
    return Aside(text) if text in set(Aside) else Topic(text)


@dataclass(frozen=True, slots=True)
class AlertRow:
    """The stored state of one objective's alert: what survives a kill.

    `since`, `started`: Unix seconds; `started` is when the present alert began (None while inactive).
    `told`: what consumers were told since the alert began, so that who never heard of it hears of no recovery.
    """

    key: ObjectiveKey
    state: AlertState
    condition: Condition
    severity: Severity | None
    since: float
    started: float | None
    told: frozenset[Topic] = frozenset()


ALSO = "also_secret"
"""The option of an address that names one more signing secret."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: one receiver of one audience, as written in the contract.

    `kind` names a file in tell/receivers; `target` is what follows the colon (a URL or a secret reference, never
    a resolved secret). `audience` is a consumer's name or "operators". `secret`: the reference of the signing
    secret (env:NAME or file:PATH; of a mail server the password), "" where there is none. `options`: what else this
    kind needs, by name, such as the mail server. `allow`: the private networks that its host's name may stand for.
    None of these is part of the identity, so all can be changed.
    """

    audience: str
    kind: str
    target: str
    secret: str = ""
    options: tuple[tuple[str, str], ...] = ()
    allow: tuple[str, ...] = ()

    @property
    def reach(self) -> Reach:
        """Which addresses may be connected to for it."""
        return reach_of(self.allow)

    @property
    def id(self) -> str:
        return f"{self.audience}|{self.kind}:{self.target}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """References of all that sign: while one is being changed there are several."""
        more = (value for name, value in self.options if name == ALSO)
        return (self.secret, *more) if self.secret else ()

    def option(self, name: str) -> str:
        """The option of this name, "" where there is none."""
        return dict(self.options).get(name, "")


@dataclass(frozen=True, slots=True)
class Message:
    """One transition, or something that keeptime says of itself; frozen. `id` never changes.

    `body` is the canonical JSON that every receiver is sent from.
    """

    id: str
    key: ObjectiveKey
    topic: Topic | Aside
    tick: int
    body: bytes
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What was told of one alert since it began: its newest message, and everyone it was ever told to."""

    tick: int
    body: bytes
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One outbox row: one message on its way to one receiver. Order per (contract, address) is by `row`.

    `numbers`: None where an older keeptime wrote the row.
    """

    row: int
    message_id: str
    contract: str
    address: Address
    topic: Topic | Aside
    body: bytes
    attempts: int
    created: float
    next_try: float
    numbers: Numbers | None = None


@dataclass(frozen=True, slots=True)
class Late:
    """One outbox row that its receiver has not taken. `steps`: how often it was passed on (or said), the last time
    at `stepped_at`; `taken_on_the_way`: a receiver that it was passed on to took it. `error`: of the last attempt.
    `acknowledged`: somebody has taken on the alert that is open now.
    """

    row: int
    message_id: str
    contract: str
    address: Address
    topic: Topic | Aside
    created: float
    dead: float | None
    error: str
    steps: int = 0
    stepped_at: float | None = None
    taken_on_the_way: bool = False
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """A row that goes to the next receiver (`to`, None: only `messages` are said of it), and why."""

    row: int
    to: Address | None
    reason: str
    messages: "tuple[Message, ...]" = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """One undelivered outbox row, for people. `dead`: when (Unix seconds) it was given up, None while it waits;
    `error`: what the last attempt met, "" before the first. `muted`: the number of the silence that holds it back.
    """

    row: int
    message_id: str
    contract: str
    objective: str
    address: Address
    topic: Topic | Aside
    created: float
    attempts: int
    next_try: float
    dead: float | None
    error: str
    muted: int | None = None


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Dead letters of one (contract, address): how many, and why the newest was given up."""

    contract: str
    address: Address
    count: int
    error: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows of a (contract, address) still to be sent: how many, and when the oldest was created (Unix seconds)."""

    contract: str
    address: Address
    count: int
    oldest: float
