"""Servers that misbehave as told, on loopback ports of the system's choosing; real sockets, a thread each."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Script = Callable[[socket.socket], None]
"""Does what it likes with one accepted connection; it is closed afterwards."""

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"answer": 1}'


@contextmanager
def serving(script: Script, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port where every connection gets `script`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, 0))
    listener.listen(128)
    ending = threading.Event()

    def one(sock: socket.socket) -> None:
        with suppress(OSError, ssl.SSLError):
            sock.settimeout(10)
            if context is not None:
                sock = context.wrap_socket(sock, server_side=True)
            script(sock)
        with suppress(OSError):
            sock.close()

    def loop() -> None:
        while not ending.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(sock,), daemon=True).start()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ending.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def request(sock: socket.socket) -> bytes:
    """The next request, head and body; b"" when the other side has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(body) < int(line[15:]):
                body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def answers(*pieces: bytes | float) -> Script:
    """Read a request, then send the pieces; a number is a pause in seconds."""

    def script(sock: socket.socket) -> None:
        request(sock)
        for piece in pieces:
            if isinstance(piece, bytes):
                sock.sendall(piece)
            else:
                time.sleep(piece)

    return script


def keeps(answer: bytes = OK, times: int = 1 << 30, delay: float = 0.0) -> Script:
    """Answer so many requests on a connection, then close it."""

    def script(sock: socket.socket) -> None:
        for _ in range(times):
            if not request(sock):
                return
            time.sleep(delay)
            sock.sendall(answer)

    return script


def silent(sock: socket.socket) -> None:
    """Accept, read, never say a word."""
    while sock.recv(65536):
        pass


def resets(sock: socket.socket) -> None:
    """Read a request, then break the connection off."""
    request(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@dataclass(frozen=True)
class Certificate:
    """PEM files."""

    cert: str
    key: str

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test authority {folder.name}")])
        builder = self._builder(self._name, self._key, 1)
        cert = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file = self._write("ca.pem", cert.sign(self._key, hashes.SHA256()))

    def issue(self, name: str, host: str = "localhost", days: int = 1) -> Certificate:
        """A certificate for this host, expired where `days` is below zero."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        with suppress(ValueError):
            names = [x509.IPAddress(ipaddress.ip_address(host))]
        cert = self._builder(subject, key, days).add_extension(x509.SubjectAlternativeName(names), critical=False)
        file = self._folder / f"{name}.key"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return Certificate(self._write(f"{name}.pem", cert.sign(self._key, hashes.SHA256())), str(file))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=10))
            .not_valid_after(now + datetime.timedelta(days=days))
        )

    def _write(self, name: str, cert: x509.Certificate) -> str:
        file = self._folder / name
        file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        return str(file)
