"""The consumer's side: what a team that was promised something needs to believe what it is told.

Guarantees: a message is taken only where it is genuine, fresh and new; whatever comes, nothing is raised but
`MessageRefused`. Needs the standard library, `standardwebhooks` and `cryptography`, no web framework. Must not know
how messages are made, judged or sent.
"""

from keeptime.consumer.asgi import Application
from keeptime.consumer.gaps import Courses, Gap, silence
from keeptime.consumer.heartbeat import Heartbeat
from keeptime.consumer.inbox import Answer, Inbox, Received
from keeptime.consumer.notice import Notice
from keeptime.consumer.pulse import Silent
from keeptime.consumer.seen import Seen, SeenInMemory, SeenInSqlite
from keeptime.consumer.signing import Key, PublicKey, SharedKey
from keeptime.consumer.verify import Genuine, Headers, Verifier
from keeptime.errors import MessageRefused

__all__ = [
    "Answer",
    "Application",
    "Courses",
    "Gap",
    "Genuine",
    "Headers",
    "Heartbeat",
    "Inbox",
    "Key",
    "MessageRefused",
    "Notice",
    "PublicKey",
    "Received",
    "Seen",
    "SeenInMemory",
    "SeenInSqlite",
    "SharedKey",
    "Silent",
    "Verifier",
    "silence",
]
