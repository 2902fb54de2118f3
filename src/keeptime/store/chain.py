"""Is a ledger what was written? The chain of its rows, and the anchors that somebody holds.

Guarantees: an edited, removed, inserted or reordered row is found, and so is an end that was cut off before an
anchor; the first bad row is named. Somebody who can write all of it anew can deceive all but an anchor. Pure.
"""

from collections.abc import Iterable, Sequence

from keeptime.model.ledger import Fault, LedgerHead, LedgerRow, Verified
from keeptime.store.ledger import canonical, row_hash


def verified(rows: Iterable[LedgerRow], anchors: Sequence[LedgerHead] = ()) -> Verified:
    """All rows of a ledger, from the first one on, in the order in which they are found."""
    held = {anchor.seq: anchor.hash for anchor in anchors}
    if fault := _at_odds(anchors):
        return Verified(0, LedgerHead(), fault)
    head = LedgerHead()
    for row in rows:
        if fault := _fault_of(row, head, held):
            return Verified(head.seq, head, fault)
        head = LedgerHead(row.seq, row.hash)
    last = max(held, default=0)
    if last > head.seq:
        why = f"the rows from {head.seq + 1} on are missing: an anchor names row {last}"
        return Verified(head.seq, head, Fault(head.seq + 1, why))
    return Verified(head.seq, head)


def _at_odds(anchors: Sequence[LedgerHead]) -> Fault | None:
    """Two anchors that cannot both be true."""
    first: dict[int, str] = {0: LedgerHead().hash}
    for anchor in anchors:
        if first.setdefault(anchor.seq, anchor.hash) != anchor.hash:
            return Fault(anchor.seq, f"two anchors name different rows {anchor.seq}")
    return None


def _fault_of(row: LedgerRow, head: LedgerHead, held: dict[int, str]) -> Fault | None:
    expected = head.seq + 1
    if row.seq > expected:
        return Fault(expected, f"row {expected} is missing: row {head.seq} is followed by row {row.seq}")
    if row.seq < expected:
        return Fault(row.seq, f"row {row.seq} stands after row {head.seq}")
    if row.previous != head.hash:
        return Fault(row.seq, f"row {row.seq} was written after another row {head.seq} than stands there")
    if _hash(row) != row.hash:
        return Fault(row.seq, f"row {row.seq} is not what was written, or row {head.seq} was exchanged")
    if held.get(row.seq, row.hash) != row.hash:
        return Fault(row.seq, f"row {row.seq} is not the one that an anchor names: rows up to it were written anew")
    return None


def _hash(row: LedgerRow) -> str:
    try:
        return row_hash(row.seq, row.at, row.kind, row.contract, canonical(row.fields), row.previous)
    except (ValueError, RecursionError):  # no value that RFC 8785 knows, so none that was written
        return ""
