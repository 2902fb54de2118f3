"""The port's own certificate: asked for, renewed, refused; and that TLS holds nobody up."""

import asyncio
import http.client
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from keeptime.errors import KeeptimeError
from keeptime.testing.showable import FakeShowable, contract, view
from keeptime.web.app import build
from keeptime.web.door import Door
from keeptime.web.serve import Server
from keeptime.web.tls import Certificate
from tests.observe.servers import Authority
from tests.web.conftest import in_a_thread


def issued(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """A certificate for localhost, its key, and who to trust."""
    where = folder / name
    where.mkdir()
    authority = Authority(where)
    made = authority.issue("port")
    key = Path(made.key)
    key.chmod(0o600)
    return Path(made.cert), key, Path(authority.file)


@contextmanager
def tls(certificate: Certificate, door: Door | None = None) -> Iterator[int]:
    with in_a_thread() as loop:
        app = build(FakeShowable([view(contract())]), door)
        server = Server(app, "127.0.0.1", 0, certificate=certificate, renewed_seconds=0.1)
        port = asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        try:
            yield port
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)


def asked(port: int, trust: Path, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> int:
    context = ssl.create_default_context(cafile=str(trust))
    context.maximum_version = newest
    connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=context)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def test_served_by_tls_alone_and_none_older_than_1_2(tmp_path: Path) -> None:
    chain, key, trust = issued(tmp_path, "one")
    certificate = Certificate(chain, key)
    assert certificate.context.minimum_version is ssl.TLSVersion.TLSv1_2
    with tls(certificate) as port:
        assert asked(port, trust) == 200
        assert asked(port, trust, ssl.TLSVersion.TLSv1_2) == 200
        with socket.create_connection(("127.0.0.1", port), timeout=10) as clear:
            clear.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with suppress(ConnectionError):
                assert not clear.recv(4096).startswith(b"HTTP")


def test_who_begins_tls_and_goes_no_further_holds_nobody_up(tmp_path: Path) -> None:
    chain, key, trust = issued(tmp_path, "one")
    with tls(Certificate(chain, key)) as port:
        stuck = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        try:
            for each in stuck[:10]:
                each.sendall(b"\x16\x03\x01")
            assert asked(port, trust) == 200
        finally:
            for each in stuck:
                each.close()


def test_a_renewed_certificate_is_taken_up_and_one_of_no_use_is_not(tmp_path: Path) -> None:
    chain, key, trust = issued(tmp_path, "one")
    later = issued(tmp_path, "two")
    certificate = Certificate(chain, key)
    with tls(certificate) as port:
        assert asked(port, trust) == 200
        chain.write_text("rubbish")
        time.sleep(0.3)
        assert asked(port, trust) == 200
        shutil.copy(later[1], key)
        shutil.copy(later[0], chain)
        end = time.monotonic() + 20
        while True:
            try:
                assert asked(port, later[2]) == 200
                break
            except ssl.SSLError:
                assert time.monotonic() < end
                time.sleep(0.05)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o660])
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    chain, key, _ = issued(tmp_path, "one")
    key.chmod(mode)
    with pytest.raises(KeeptimeError, match="chmod 600"):
        Certificate(chain, key)
    key.chmod(0o640)
    Certificate(chain, key)


def test_files_of_no_use_are_one_clear_error(tmp_path: Path) -> None:
    chain, key, _ = issued(tmp_path, "one")
    _, other, _ = issued(tmp_path, "two")
    for one, two in ((chain, other), (key, key), (chain, tmp_path / "none")):
        with pytest.raises(KeeptimeError, match=r"cannot be (used|read)"):
            Certificate(one, two)
