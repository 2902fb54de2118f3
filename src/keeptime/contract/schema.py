"""The JSON Schema of a contract, from the same tables that read it."""

from keeptime.contract.document import CONTRACT_TABLE
from keeptime.contract.shapes import Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def contract_schema() -> Schema:
    """Draft 2020-12, of one contract. It knows forms and words; what parts say together only `check` knows."""
    return {"$schema": DIALECT, "title": "keeptime contract", **CONTRACT_TABLE.schema()}
