"""The description as one OpenAPI document, made of the access table and of what is described of each route.

Guarantees: every row of the access table is an operation, with the scope that it takes and the refusals of the
guard. Asks for nothing; the same for every keeptime of a version.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from keeptime import __version__
from keeptime.web.access import ACCESS, FORM, JSON, PROTOBUF, Access
from keeptime.web.api.answers import ANSWERS
from keeptime.web.api.described import Described, Parameter
from keeptime.web.api.routes import DESCRIBED
from keeptime.web.api.shapes import ref

GUARDED = {
    401: "No token, or one that is nobody's, was revoked or is over.",
    403: "The token has no such scope; or a change from a page of another origin.",
    405: "Another method than those that `Allow` lists.",
    408: "The body was not here in time.",
    413: "The body is too large, or none is taken.",
    415: "A body in another form than those that are taken, or packed otherwise.",
    421: "A host name that is not this port's.",
    429: "Too many requests; `Retry-After` says when to come again.",
    503: "Too many connections, or who may ask cannot be known now.",
}
"""What the guard answers, whatever the route."""

HTML = "text/html"
"""Of a page for people its refusals, too."""

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    described = {(each.method, each.path): each for each in DESCRIBED}
    paths: dict[str, dict[str, Any]] = {}
    for row in ACCESS:
        operation = _operation(row, described[row.method, row.path])
        paths.setdefault(row.path, {})[row.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "keeptime",
            "version": __version__,
            "description": "One keeptime: how its contracts stand, and what may be done about it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": ANSWERS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A token of `keeptime token add`."},
                "basic": {"type": "http", "scheme": "basic", "description": "Any user, the token as password."},
                "link": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "token",
                    "description": "Of `token add --status`.",
                },
            },
        },
    }


def _operation(row: Access, one: Described) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": f"{row.method.lower()}{row.path.replace('/', '_').replace('{', '').replace('}', '')}",
        "summary": one.text,
        "responses": dict(_responses(row, one)),
        "security": _security(row),
    }
    if row.scope is not None:
        found["x-keeptime-scope"] = row.scope.value
    if one.parameters:
        found["parameters"] = [_parameter(each) for each in one.parameters]
    if one.posted is not None:
        found["requestBody"] = {"required": True, "content": {form: _posted(form, one) for form in row.taken}}
    return found


def _posted(form: str, one: Described) -> dict[str, Any]:
    """A body in this form; what is neither JSON nor a page's form has a form of its own."""
    return {"schema": one.posted} if form in (JSON, FORM) else BINARY


def _answer(form: str, one: Described) -> dict[str, Any]:
    if one.answer is None or form not in (JSON, PROTOBUF):
        return {}
    return BINARY if form == PROTOBUF else {"schema": one.answer}


def _security(row: Access) -> list[dict[str, list[str]]]:
    """Any of these is enough. A change takes no password that a browser keeps, but by a form of our own."""
    if row.scope is None:
        return []
    if row.changes and not row.form:
        return [{"bearer": []}]
    names = ("bearer", "basic", "link") if row.link else ("bearer", "basic")
    return [{name: []} for name in names]


def _responses(row: Access, one: Described) -> Iterator[tuple[str, dict[str, Any]]]:
    error = ref("RpcStatus" if row.rpc else "Error")
    if one.status == 303:
        yield "303", {"description": "Done; `Location` is the page that says so."}
    else:
        yield "200", {"description": "Done.", "content": {form: _answer(form, one) for form in one.media}}
    bodies, own = dict(one.bodies), dict(one.refusals)
    for status in sorted({*own, *GUARDED}):
        if status in own or (row.scope is not None or status not in (401, 503)):
            text = own.get(status, GUARDED.get(status, ""))
            forms = [ref(bodies[status])] if status in bodies else []
            shape = {"anyOf": [*forms, error]} if forms else error
            page: dict[str, Any] = (
                {HTML: {}} if HTML in one.media and (status in own or (row.form and row.changes)) else {}
            )
            content = {JSON: {"schema": shape}, **({PROTOBUF: BINARY} if row.rpc else {}), **page}
            yield str(status), {"description": text, "content": content}


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": one.place,
        "required": one.required,
        "description": one.text,
        "schema": one.schema,
    }
