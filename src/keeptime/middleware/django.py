"""The route of a Django request, told to the middleware around the application (WSGI or ASGI).

Guarantees: what is told is the template in the project's URL configuration, never the path that was asked for. A
line in `MIDDLEWARE`, "keeptime.middleware.django.route", for sync and async alike. Imports nothing of Django.
"""

import inspect
from collections.abc import Callable
from typing import Any

from keeptime.middleware.wsgi import ROUTE

Next = Callable[[Any], Any]


def _tell(request: Any) -> None:
    template = getattr(request.resolver_match, "route", None)
    if template is None:
        return
    scope = getattr(request, "scope", None)
    if scope is None:
        request.META[ROUTE] = f"/{template}"
    else:
        scope["path_template"] = f"/{template}"


class _Route:
    """What Django calls with the next in line; it asks an attribute whether both kinds will do."""

    sync_capable = async_capable = True

    def __call__(self, get_response: Next) -> Next:
        if not inspect.iscoroutinefunction(get_response):

            def answered(request: Any) -> Any:
                response = get_response(request)
                _tell(request)
                return response

            return answered

        async def awaited(request: Any) -> Any:
            response = await get_response(request)
            _tell(request)
            return response

        return awaited


route = _Route()
