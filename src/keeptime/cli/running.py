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
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from platformdirs import user_state_path

from keeptime.app.daemon import Daemon
from keeptime.app.reading import read_contracts
from keeptime.app.supervised import Supervised
from keeptime.app.watching import Look, look, watch
from keeptime.app.wire import Settings, build
from keeptime.cli import logfmt
from keeptime.cli.guarding import Guarding
from keeptime.cli.listening import address, url_of
from keeptime.cli.live import show
from keeptime.contract.terms import Contract
from keeptime.errors import KeeptimeError, UsageError
from keeptime.model.levels import levels
from keeptime.units import parse_duration
from keeptime.web.app import build as build_web
from keeptime.web.serve import Server

log = logging.getLogger("keeptime")


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, understood."""

    paths: tuple[str, ...]
    host: str
    port: int
    guarding: Guarding
    data: Path
    tick_seconds: float
    ready_file: Path | None
    table: bool
    watch: bool = False

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Options":
        """Raises UsageError."""
        host, port = address(args.listen, anywhere=True)
        return cls(
            paths=tuple(args.contracts),
            host=host,
            port=port,
            guarding=Guarding.of(args, host),
            data=Path(args.data) if args.data else user_state_path("keeptime"),
            tick_seconds=_tick(args.tick),
            ready_file=_ready_file(args.ready_file),
            table=sys.stdout.isatty() and sys.stderr.isatty() and not args.plain,
            watch=args.watch,
        )


async def keep_running(options: Options) -> int:
    """Run until SIGTERM or SIGINT; the exit code. Raises KeeptimeError where it cannot start."""
    logfmt.set_up(quiet=options.table)
    seen = look(options.paths)
    contracts = read_contracts(options.paths, options.tick_seconds)
    certificate, tokens = options.guarding.tls(), options.guarding.rights(options.data)
    daemon = await build(contracts, Settings(options.data, options.tick_seconds, options.paths))
    door = options.guarding.door(tokens, daemon.note_access)
    server = Server(
        build_web(daemon, door), options.host, options.port, certificate=certificate, proxies=door.proxies
    )
    supervised = Supervised(daemon.snapshot)
    watched = asyncio.create_task(supervised.run(), name="watchdog")
    try:
        port = await server.start()
        await daemon.start()
        async with _watching(daemon, options, seen, supervised):
            url = url_of(options.host, port, options.guarding.scheme)
            await _until_told(daemon, options, contracts, url, supervised)
    finally:
        supervised.stopping()
        await daemon.stop()
        await server.stop()
        watched.cancel()
        if options.ready_file is not None:
            options.ready_file.unlink(missing_ok=True)
    log.info("ended in order")
    return 0


async def _until_told(
    daemon: Daemon, options: Options, contracts: Sequence[Contract], url: str, supervised: Supervised
) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    reloading: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = asyncio.create_task(_reload(daemon, supervised, "SIGHUP"))
        reloading.add(task)
        task.add_done_callback(reloading.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    daemon.on_told = logfmt.told
    _announce(options, contracts, url)
    supervised.ready()
    shown = show(daemon, url) if options.table else contextlib.nullcontext()
    with shown:
        failed = asyncio.create_task(daemon.failed())
        ended = asyncio.create_task(ending.wait())
        await asyncio.wait({failed, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if failed.done():
            failed.result()
        failed.cancel()


def _announce(options: Options, contracts: Sequence[Contract], url: str) -> None:
    objectives = sum(len(each.objectives) for each in contracts)
    kept = {"contracts": len(contracts), "objectives": objectives}
    log.info("running", extra=kept | {"url": url, "data": str(options.data), "pid": os.getpid()})
    if options.ready_file is not None:
        temporary = options.ready_file.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps({"url": url, "pid": os.getpid()}))
            temporary.replace(options.ready_file)
        except OSError as error:
            raise KeeptimeError(
                f"--ready-file {options.ready_file}: it cannot be written ({error.strerror}); give another"
            ) from error


async def _reload(daemon: Daemon, supervised: Supervised, author: str) -> None:
    supervised.reloading()
    with contextlib.suppress(KeeptimeError):  # the daemon has said so
        await daemon.reload(author)
    supervised.ready()


@contextlib.asynccontextmanager
async def _watching(daemon: Daemon, options: Options, seen: Look, supervised: Supervised) -> AsyncIterator[None]:
    """With --watch, reload within whenever the files have changed since they were seen so."""
    if not options.watch:
        yield
        return
    task = asyncio.create_task(
        watch(options.paths, seen, partial(_reload, daemon, supervised, "--watch")), name="watch"
    )
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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
