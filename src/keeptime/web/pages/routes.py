"""The pages for people, each at its path.

Guarantees: each has its row in the access table. Knows the daemon by `Showable` alone.
"""

from starlette.routing import Route

from keeptime.app.view import Showable
from keeptime.web.pages.contract import ContractPage

PATHS = ("/contracts/CONTRACT",)
"""As the list of all routes names them."""


def page_routes(daemon: Showable) -> list[Route]:
    """Beside the overview."""
    return [Route("/contracts/{contract}", ContractPage(daemon).handle)]
