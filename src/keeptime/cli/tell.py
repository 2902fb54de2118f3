"""`keeptime tell test`: a test message through every receiver of a contract, once; `keeptime tell key`: a new key.

Exit code 0: every receiver took it, or the key is made; 1: one did not, or a contract is invalid; 2: wrong usage.
"""

import argparse
from typing import TYPE_CHECKING, Any

from keeptime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table
    from rich.text import Text

    from keeptime.contract.terms import Contract
    from keeptime.model.alert import Address

EXAMPLES = """\
examples:
  keeptime tell test contract.yaml                 a test message through every receiver
  keeptime tell test contract.yaml --to checkout   only those of this consumer; operators are an audience too
  keeptime tell test contract.yaml --to email      only receivers of this kind
  keeptime tell key                                a new secret that you share with a consumer
  keeptime tell key --ed25519                      a pair of keys: the consumer can verify and cannot sign
  keeptime tell test contract.yaml --json | jq '.receivers[] | select(.taken | not)'

The message says that it is a test: its type is keeptime.test, its objective is named (test). No daemon is needed.

exit codes:
  0  every receiver took it; the key was made
  1  one did not, or the contract is invalid
  2  the command was called wrongly
"""

TABLE_WIDTH = 110
"""Columns of a terminal from which on a table is readable."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Try the receivers of contracts with a message that is marked as a test; make keys."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "action", choices=["test", "key"], help="test: send a test message; key: make a signing key for webhooks"
    )
    parser.add_argument("contracts", metavar="CONTRACT", nargs="*", help="a contract file, or a directory of them")
    parser.add_argument(
        "--to", metavar="NAME", help="only to this audience (a consumer, operators) or kind of receiver"
    )
    parser.add_argument("--ed25519", action="store_true", help="of key: a pair (whsk_, whpk_), no shared secret")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Raises ContractError and UsageError for the front door to show."""
    import asyncio

    from keeptime.cli import tell_key
    from keeptime.contract.load import require

    if args.action == "key":
        return tell_key.run(args)
    if not args.contracts or args.ed25519:
        raise UsageError("tell test: expected at least one CONTRACT, and no --ed25519")
    chosen = _chosen(require(args.contracts), args.to)
    results = asyncio.run(_send(chosen))
    if args.json:
        import json

        print(json.dumps({"receivers": results}, indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        console = Console()
        console.print(_table(results) if console.width >= TABLE_WIDTH else _lines(results), soft_wrap=True)
    return 0 if all(each["taken"] for each in results) else 1


def _chosen(contracts: "Sequence[Contract]", to: str | None) -> "list[tuple[Contract, Address]]":
    """What is sent to, in the contracts' order. Raises UsageError where that is nothing."""
    from keeptime.contract.people import everyone

    told = [(contract, address) for contract in contracts for address in everyone(contract)]
    chosen = [pair for pair in told if to in (None, pair[1].audience, pair[1].kind)]
    if chosen:
        return chosen
    if not told:
        raise UsageError("no receiver is in these contracts; expected `tell` of a consumer or of the operators")
    names = dict.fromkeys(name for _, one in told for name in (one.audience, one.kind))
    raise UsageError(
        f"--to {to}: there is no such audience or kind of receiver; expected one of {', '.join(names)}"
    )


async def _send(chosen: "Sequence[tuple[Contract, Address]]") -> list[dict[str, Any]]:
    """One attempt each, all at once: one that hangs holds up nobody. Results in the order given."""
    import asyncio

    from keeptime.tell.receivers.registry import Receivers

    receivers = Receivers()
    try:
        return list(await asyncio.gather(*(_one(receivers, *pair) for pair in chosen)))
    finally:
        await receivers.close()


async def _one(receivers: Any, contract: "Contract", address: "Address") -> dict[str, Any]:
    from keeptime.clock import SystemClock
    from keeptime.tell.trial import attempt, trial

    clock = SystemClock()
    now, began = clock.wall_ns() / 1e9, clock.monotonic_ns()
    delivery = trial(contract, address, now)
    answer, error = await attempt(receivers, delivery, now)
    return {
        "contract": contract.name,
        "audience": address.audience,
        "receiver": f"{address.kind}:{address.target.partition('?')[0]}",
        "id": delivery.message_id,
        "taken": error is None,
        "answer": answer or None,
        "error": None if error is None else str(error),
        "retry": None if error is None else error.retry,
        "seconds": (clock.monotonic_ns() - began) / 1e9,
    }


def _lines(results: "Sequence[dict[str, Any]]") -> "Text":
    """The same where a table would be too narrow to read: two lines for each."""
    from rich.text import Text

    told = (f"{each['contract']}, {each['audience']}: {each['receiver']}\n  {_result(each)}" for each in results)
    return Text("\n".join(told))


def _result(each: "dict[str, Any]") -> str:
    return f"taken: {each['answer']}" if each["taken"] else f"not taken: {each['error']}"


def _table(results: "Sequence[dict[str, Any]]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    out = Table(show_edge=False)
    for heading in ("contract", "audience", "receiver", "result", "seconds"):
        out.add_column(heading, overflow="fold")
    for each in results:
        words = (each["contract"], each["audience"], each["receiver"], _result(each), f"{each['seconds']:.2f}")
        out.add_row(*map(Text, words))
    return out
