"""The pages for people, each at its path.

Guarantees: each has its row in the access table. Knows the daemon by `Showable` alone.
"""

from starlette.routing import Route

from keeptime.app.view import Showable
from keeptime.web.pages.contract import ContractPage
from keeptime.web.pages.deliveries import DeliveriesPage
from keeptime.web.pages.incidents import IncidentsPage
from keeptime.web.pages.ledger import LedgerPage
from keeptime.web.pages.objective import ObjectivePage
from keeptime.web.pages.overview import OverviewPage
from keeptime.web.pages.taking_on import IncidentPage

PATHS = (
    "/contracts/CONTRACT",
    "/contracts/CONTRACT/OBJECTIVE",
    "/incidents?contract=NAME&open=true",
    "/incidents/ID",
    "/incidents/ID/ack",
    "/incidents/ID/silence",
    "/incidents/ID/silence/end",
    "/deliveries?contract=NAME",
    "/ledger?kind=KIND&contract=NAME",
)
"""As the list of all routes names them."""


def page_routes(daemon: Showable) -> list[Route]:
    incident = IncidentPage(daemon)
    return [
        Route("/", OverviewPage(daemon).handle),
        Route("/contracts/{contract}", ContractPage(daemon).handle),
        Route("/contracts/{contract}/{objective}", ObjectivePage(daemon).handle),
        Route("/incidents", IncidentsPage(daemon).handle),
        Route("/incidents/{id}", incident.handle, methods=["GET"]),
        Route("/incidents/{id}/ack", incident.acknowledge, methods=["POST"]),
        Route("/incidents/{id}/silence", incident.silence, methods=["POST"]),
        Route("/incidents/{id}/silence/end", incident.end, methods=["POST"]),
        Route("/deliveries", DeliveriesPage(daemon).handle),
        Route("/ledger", LedgerPage(daemon).handle),
    ]
