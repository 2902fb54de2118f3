"""Every kind of receiver, one line each. Guarantees: each kind is built once, when it is first needed."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from keeptime.errors import DeliveryError
from keeptime.tell.ports import Receiver
from keeptime.tell.receivers.alertmanager import AlertmanagerReceiver
from keeptime.tell.receivers.apprise import AppriseReceiver
from keeptime.tell.receivers.email import EmailReceiver
from keeptime.tell.receivers.log import LogReceiver
from keeptime.tell.receivers.pagerduty import PagerdutyReceiver
from keeptime.tell.receivers.slack import SlackReceiver
from keeptime.tell.receivers.webhook import WebhookReceiver

KINDS: Mapping[str, Callable[[], Receiver]] = MappingProxyType(
    {
        "alertmanager": AlertmanagerReceiver,
        "apprise": AppriseReceiver,
        "email": EmailReceiver,
        "log": LogReceiver,
        "pagerduty": PagerdutyReceiver,
        "slack": SlackReceiver,
        "webhook": WebhookReceiver,
    }
)


class Receivers:
    """What the dispatcher asks for the receiver of a kind. Raises DeliveryError for a kind that there is not."""

    def __init__(self, kinds: Mapping[str, Callable[[], Receiver]] = KINDS) -> None:
        self._kinds = kinds
        self._built: dict[str, Receiver] = {}

    @property
    def kinds(self) -> Collection[str]:
        return self._kinds.keys()

    def __call__(self, kind: str) -> Receiver:
        if kind not in self._kinds:
            known = ", ".join(sorted(self._kinds))
            raise DeliveryError(f"there is no receiver of kind '{kind}'; expected one of {known}", retry=False)
        if kind not in self._built:
            self._built[kind] = self._kinds[kind]()
        return self._built[kind]

    async def close(self) -> None:
        """Let go of all connections."""
        for receiver in self._built.values():
            await receiver.close()
