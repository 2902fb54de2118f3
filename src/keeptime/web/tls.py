"""The port's own certificate.

Guarantees: TLS 1.2 or newer; a key that others may read is refused; a renewed certificate is taken up while
serving, and one that cannot be used leaves the old one in place. Asks nobody for a passphrase.
"""

import ssl
from pathlib import Path

from keeptime.errors import KeeptimeError

Stamp = tuple[tuple[int, int], tuple[int, int]]


class Certificate:
    """Raises KeeptimeError where the two files are none that TLS can use."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = certificate, key
        self._stamp = self._now()
        self.context = self._made()

    def renew(self) -> bool:
        """Take up the files if they are others than before; was it so? Raises KeeptimeError."""
        if (stamp := self._now()) == self._stamp:
            return False
        self._made()
        self.context.load_cert_chain(*self._files, password=_no_passphrase)
        self._stamp = stamp
        return True

    def read(self) -> tuple[bytes, bytes]:
        """The chain of certificates and the key, as they are now. Raises KeeptimeError."""
        self._now()
        certificate, key = self._files
        try:
            return certificate.read_bytes(), key.read_bytes()
        except OSError as error:
            raise KeeptimeError(f"{error.filename}: it cannot be read ({error.strerror})") from error

    def _now(self) -> Stamp:
        """Changes whenever one of the files does."""
        certificate, key = self._files
        try:
            first, second = certificate.stat(), key.stat()
        except OSError as error:
            raise KeeptimeError(f"{error.filename}: it cannot be read ({error.strerror})") from error
        if second.st_mode & 0o027:
            raise KeeptimeError(
                f"{key}: others may read this key; expected a file of this user's alone (chmod 600)"
            )
        return (first.st_ino, first.st_mtime_ns), (second.st_ino, second.st_mtime_ns)

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        certificate, key = self._files
        try:
            context.load_cert_chain(certificate, key, password=_no_passphrase)
        except OSError as error:
            why = error.strerror or str(error)
            raise KeeptimeError(
                f"{certificate}, {key}: they cannot be used for TLS ({why}); expected a chain of certificates and "
                "its key without a passphrase, both in PEM"
            ) from error
        return context


def _no_passphrase() -> str:
    return ""
