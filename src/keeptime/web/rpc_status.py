"""Refusals of OTLP as the protocol has them: a google.rpc.Status, in the form that was posted.

Guarantees: status and headers are those of any other refusal; only the body differs. (OTLP specification,
"Failures"; google/rpc/status.proto: code = 1, message = 2.)
"""

from starlette.responses import JSONResponse, Response

from keeptime.web.access import PROTOBUF

_CODES = {401: 16, 403: 7, 404: 5, 405: 12, 408: 4, 409: 9, 429: 8, 500: 13, 503: 14}
_INVALID_ARGUMENT = 3


def code_of(status: int) -> int:
    """The canonical code that says most nearly the same as a status of HTTP."""
    return _CODES.get(status, _INVALID_ARGUMENT)


def status_response(status: int, message: str, form: str, headers: dict[str, str] | None = None) -> Response:
    """The answer to a body of this form; what is not protobuf is answered in JSON."""
    if form != PROTOBUF:
        return JSONResponse({"code": code_of(status), "message": message}, status, headers)
    text = message.encode()[:4000]
    body = bytes([0x08, code_of(status), 0x12]) + _varint(len(text)) + text
    return Response(body, status, headers, PROTOBUF)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
