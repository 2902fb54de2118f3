"""What several routes take in the bodies that are posted to them, as JSON Schemas.

Guarantees: says nothing of any one route.
"""

from keeptime.web.api.shapes import TEXT, Schema

AUTHOR: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 100,
    "description": "Who asks for it; one line of printable characters.",
}
ROW: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
REASON: Schema = {**AUTHOR, "maxLength": 500, "description": "Why; one line of printable characters."}
CANNOT = (409, "It cannot be: an unknown name, an end that has passed, nothing that is open; `error` says what.")
TEXT63: Schema = {**TEXT, "maxLength": 63}
CALLED: Schema = {**TEXT63, "minLength": 1}
NOTE: Schema = {**TEXT, "maxLength": 500}
AT: Schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e11, "description": "Unix seconds."}
