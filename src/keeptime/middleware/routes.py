"""The route that a request took: the template that the framework matched, never the path that was asked for.

Guarantees: what is given back comes from the application's own routing table, so a client cannot make values of
it. Knows the scopes of Starlette, FastAPI, Litestar and what is built on them, and imports none of them.
"""

from collections.abc import MutableMapping
from typing import Any

from keeptime.middleware.labels import OTHER

Scope = MutableMapping[str, Any]

MODEL_VERSION = "keeptime.model_version"
"""The key of a scope or an environ under which an application may say which version of the model has answered."""

PROBE = "keeptime"
"""The `User-Agent` of a probe."""

STREAMS = (
    "text/event-stream",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/json-seq",
)
"""Types of answers that are streams."""


def template(scope: Scope) -> str:
    """The route's template; `other` where none was matched, or none can be told."""
    told = scope.get("path_template")
    if isinstance(told, str) and told:
        return told
    route = scope.get("route")
    path = getattr(route, "path", None)
    if not isinstance(path, str):
        return OTHER
    return _mount(scope, route) + path or "/"


def _mount(scope: Scope, route: object) -> str:
    """Where the router of this route is mounted, if no parameter is in that."""
    root, outer = scope.get("root_path", ""), scope.get("app_root_path", "")
    inner = set(getattr(route, "param_convertors", ()))
    if hasattr(route, "routes") or not root.startswith(outer) or set(scope.get("path_params", ())) - inner:
        return ""
    return str(root[len(outer) :])
