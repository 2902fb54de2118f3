"""What `keeptime run` does: load, build, serve, show, and obey signals.

Guarantees: an invalid contract, or one whose secrets have no value here, never starts, and on reload changes
nothing; a store or port that cannot be had is one clear error.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from platformdirs import user_state_path
from starlette.types import ASGIApp

from keeptime.app.reading import read_contracts
from keeptime.app.reloading import Changed
from keeptime.app.supervised import Supervised
from keeptime.app.taking import Intake
from keeptime.app.view import Snapshot
from keeptime.app.watching import Look, look, watch
from keeptime.app.wire import Settings, build
from keeptime.cli import exporters, logfmt
from keeptime.cli.guarding import Guarding
from keeptime.cli.listening import address, is_loopback, url_of
from keeptime.cli.live import show
from keeptime.contract.terms import Contract
from keeptime.errors import KeeptimeError, UsageError
from keeptime.model.alert import Message
from keeptime.model.ledger import Json
from keeptime.model.levels import levels
from keeptime.units import parse_duration
from keeptime.web.app import build as build_web
from keeptime.web.door import Door
from keeptime.web.serve import Server

if TYPE_CHECKING:
    from keeptime.app.holding import Pace
    from keeptime.store.postgresql.address import Address
    from keeptime.web.otlp_grpc import GrpcPort

log = logging.getLogger("keeptime")


class Kept(Protocol):
    """What runs: a daemon alone, or one of a pair."""

    on_told: Callable[[Message], None]

    async def start(self, url: str) -> None: ...

    async def stop(self) -> None: ...

    async def failed(self) -> None: ...

    async def reload(self, author: str) -> Changed: ...

    def note_access(self, at: float, fields: Mapping[str, Json]) -> Awaitable[object]: ...

    def snapshot(self) -> Snapshot: ...

    @property
    def intake(self) -> Intake | None:
        """Who counts what is sent; None while this one stands by."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, understood."""

    paths: tuple[str, ...]
    host: str
    port: int
    guarding: Guarding
    data: Path
    store: "tuple[Address, Pace] | None"
    tick_seconds: float
    ready_file: Path | None
    table: bool
    watch: bool = False
    otlp_grpc: exporters.Where | None = None

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Options":
        """Raises UsageError."""
        host, port = address(args.listen, anywhere=True)
        guarding = Guarding.of(args, host)
        otlp_grpc = exporters.where_of(args.otlp_grpc, guarding.certificate is not None)
        if otlp_grpc is not None and not is_loopback(otlp_grpc[0]):
            guarding = replace(guarding, open=False)
        return cls(
            paths=tuple(args.contracts),
            host=host,
            port=port,
            guarding=guarding,
            data=Path(args.data) if args.data else user_state_path("keeptime"),
            store=_store(args),
            tick_seconds=_tick(args.tick),
            ready_file=_ready_file(args.ready_file),
            table=sys.stdout.isatty() and sys.stderr.isatty() and not args.plain and not args.store,
            watch=args.watch,
            otlp_grpc=otlp_grpc,
        )


async def keep_running(options: Options) -> int:
    """Run until SIGTERM or SIGINT; the exit code. Raises KeeptimeError where it cannot start."""
    logfmt.set_up(quiet=options.table)
    seen = look(options.paths)
    contracts = read_contracts(options.paths, options.tick_seconds)
    certificate, tokens = options.guarding.tls(), options.guarding.rights(options.data)
    kept, served = await _built(options, contracts)
    door = options.guarding.door(tokens, kept.note_access)
    app = served(door)
    server = Server(app, options.host, options.port, certificate=certificate, proxies=door.proxies)
    exported = None
    if options.otlp_grpc is not None:
        exported = exporters.grpc_port(options.otlp_grpc, lambda: kept.intake, door, certificate)
    supervised = Supervised(kept.snapshot)
    watched = asyncio.create_task(supervised.run(), name="watchdog")
    try:
        port = await server.start()
        options = await _exported_to(options, exported)
        url = url_of(options.host, port, options.guarding.scheme)
        await kept.start(url)
        async with _watching(kept, options, seen, supervised):
            await _until_told(kept, options, contracts, url, supervised)
    finally:
        supervised.stopping()
        await kept.stop()
        await server.stop()
        if exported is not None:
            await exported.stop()
        watched.cancel()
        if options.ready_file is not None:
            options.ready_file.unlink(missing_ok=True)
    log.info("ended in order")
    return 0


async def _exported_to(options: Options, exported: "GrpcPort | None") -> Options:
    """With the port that was bound for exporters, where there is one."""
    if exported is None or options.otlp_grpc is None:
        return options
    return replace(options, otlp_grpc=(options.otlp_grpc[0], await exported.start()))


async def _built(options: Options, contracts: Sequence[Contract]) -> tuple[Kept, Callable[[Door], ASGIApp]]:
    """What runs, ready to start, and the app that shows it behind a door. Raises KeeptimeError."""
    settings = Settings(options.data, options.tick_seconds, options.paths)
    if options.store is None:
        daemon = await build(contracts, settings)
        return daemon, partial(build_web, daemon)
    from keeptime.cli.pairing import Pairing

    pairing = Pairing(contracts, settings, options.store)
    return pairing.pair, pairing.serve


async def _until_told(
    kept: Kept, options: Options, contracts: Sequence[Contract], url: str, supervised: Supervised
) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    reloading: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = asyncio.create_task(_reload(kept, supervised, "SIGHUP"))
        reloading.add(task)
        task.add_done_callback(reloading.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    kept.on_told = logfmt.told
    _announce(options, contracts, url)
    supervised.ready()
    shown = show(kept, url) if options.table else contextlib.nullcontext()
    with shown:
        failed = asyncio.create_task(kept.failed())
        ended = asyncio.create_task(ending.wait())
        await asyncio.wait({failed, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if failed.done():
            failed.result()
        failed.cancel()


def _announce(options: Options, contracts: Sequence[Contract], url: str) -> None:
    objectives = sum(len(each.objectives) for each in contracts)
    kept = {"contracts": len(contracts), "objectives": objectives}
    where = {"data": str(options.data)} if options.store is None else {"store": options.store[0].shown}
    served: dict[str, object] = {"url": url, "pid": os.getpid()}
    if options.otlp_grpc is not None:
        served["otlp_grpc"] = url_of(*options.otlp_grpc, options.guarding.scheme)
    log.info("running", extra=kept | where | served)
    if options.ready_file is not None:
        temporary = options.ready_file.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps(served))
            temporary.replace(options.ready_file)
        except OSError as error:
            raise KeeptimeError(
                f"--ready-file {options.ready_file}: it cannot be written ({error.strerror}); give another"
            ) from error


async def _reload(kept: Kept, supervised: Supervised, author: str) -> None:
    supervised.reloading()
    with contextlib.suppress(KeeptimeError):  # the daemon has said so
        await kept.reload(author)
    supervised.ready()


@contextlib.asynccontextmanager
async def _watching(kept: Kept, options: Options, seen: Look, supervised: Supervised) -> AsyncIterator[None]:
    """With --watch, reload within whenever the files have changed since they were seen so."""
    if not options.watch:
        yield
        return
    task = asyncio.create_task(
        watch(options.paths, seen, partial(_reload, kept, supervised, "--watch")), name="watch"
    )
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _store(args: argparse.Namespace) -> "tuple[Address, Pace] | None":
    if args.store is None:
        return None
    if args.data is not None:
        raise UsageError("--store and --data: a store is in a directory or in a database; give one of them")
    from keeptime.cli.pairing import store_of

    return store_of(args.store, args.lease)


def _ready_file(text: str | None) -> Path | None:
    path = Path(text) if text else None
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise UsageError(f"--ready-file {text}: expected a file in a directory that exists")
    return path


def _tick(text: str) -> float:
    try:
        seconds = parse_duration(text)
        levels(seconds)
    except ValueError as error:
        raise UsageError(f"--tick {text}: {error}") from error
    return seconds
