"""The real process where tokens are asked for, by TLS: what is let in, and that a command finds its way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keeptime.model.token import Scope
from keeptime.store.tokens import TokenFile
from tests.e2e.keeping import Keeptime, keeping, terms
from tests.web.test_tls import asked, issued


class Guarded(Keeptime):
    """Runs with more options."""

    options: tuple[str, ...] = ()

    def command(self, *options: str) -> list[str]:
        return super().command(*self.options, *options)


def keeptime(one: Keeptime, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "keeptime", *words]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=60)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    return issued(tmp_path, "tls")


def test_by_tls_and_with_a_token_and_not_otherwise(tmp_path: Path, files: tuple[Path, Path, Path]) -> None:
    chain, key, trust = files
    with keeping(tmp_path / "kept", terms("http://127.0.0.1:9/")) as kept:
        token = TokenFile(kept.data).add("me", [Scope.READ], 0, None)
        one = Guarded(kept.folder, kept.terms)
        one.options = ("--tls-cert", str(chain), "--tls-key", str(key))
        try:
            one.start()
            port = int(one.url.rpartition(":")[2])
            assert one.url == f"https://127.0.0.1:{port}"
            assert asked(port, trust) == 200
            where = ("--url", f"https://localhost:{port}", "--json")
            done = keeptime(one, "status", *where, SSL_CERT_FILE=str(trust), KEEPTIME_TOKEN=token)
            assert [each["contract"] for each in json.loads(done.stdout)["contracts"]] == ["kept"], done.stderr
            done = keeptime(one, "status", *where, SSL_CERT_FILE=str(trust))
            assert (done.returncode, "a token is needed" in done.stderr) == (1, True)
            done = keeptime(one, "status", *where, KEEPTIME_TOKEN=token)
            assert (done.returncode, "certificate" in done.stderr.lower()) == (1, True)
            assert token not in one.log
        finally:
            one.kill()


def test_what_others_can_reach_never_starts_without_a_token(tmp_path: Path, files: tuple[Path, Path, Path]) -> None:
    chain, key, _ = files
    one = Keeptime(tmp_path, terms("http://127.0.0.1:9/"))
    code, said = one.refused("--listen", "0.0.0.0:0", "--tls-cert", str(chain), "--tls-key", str(key))
    assert (code, "keeptime token add" in said) == (2, True)
    assert not one.data.exists()
