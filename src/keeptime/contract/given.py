"""What parts of a contract are made of where they are written as its file would say them: keys, and values that are
there."""

Terms = dict[str, object]
"""Keys and values of the contract language."""


def given(**values: object) -> Terms:
    """Without what is not there."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {}, ())}
