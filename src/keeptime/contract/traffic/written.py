"""Observers of traffic as a contract's file would say them: what each kind's own writer is made of."""

Terms = dict[str, object]
"""Keys and values of the contract language."""


def given(**values: object) -> Terms:
    """Without what is not there."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {}, ())}
