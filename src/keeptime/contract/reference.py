"""Every field of a contract as Markdown, from the same tables that read it; docs/contract.md holds the result."""

from collections.abc import Iterator

from keeptime.contract.document import CONTRACT_TABLE
from keeptime.contract.shapes import Field, Table, tables_of


def reference() -> str:
    """One section per table, outermost first."""
    return "\n".join(_section(path, table) for path, table in walk())


def walk() -> Iterator[tuple[str, Table[object]]]:
    """Every table with the path that leads to it; one that is in two places comes at the first."""
    waiting: list[tuple[str, Table[object]]] = [("", CONTRACT_TABLE)]
    seen: set[int] = set()
    while waiting:
        path, table = waiting.pop(0)
        if id(table) in seen:
            continue
        seen.add(id(table))
        yield path, table
        for each in table.fields:
            inner = tables_of(each.shape)
            prefix = f"{path}.{each.key}" if path else each.key
            waiting += [(f"{prefix}.{one.name}" if len(inner) > 1 else prefix, one) for one in inner]


def _section(path: str, table: Table[object]) -> str:
    title = f"### `{path}`" if path else "### The contract itself"
    rows = "\n".join(_row(each) for each in table.fields)
    return f"{title}\n\n{table.about}\n\n| Key | Value | Meaning |\n|---|---|---|\n{rows}\n"


def _row(each: Field[object]) -> str:
    key = f"**`{each.key}`**" if each.required else f"`{each.key}`"
    about = f"{each.about} Default: {each.default}." if each.default else each.about
    return f"| {key} | {_cell(each.shape.expected)} | {_cell(about)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
