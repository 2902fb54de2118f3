"""What `keeptime run` asks for before others can reach its port."""

import argparse
import sys
from pathlib import Path

import pytest

from keeptime.app.auditing import nowhere
from keeptime.cli import exporters, run
from keeptime.cli.guarding import Guarding
from keeptime.cli.listening import address, url_of
from keeptime.cli.running import Options
from keeptime.errors import UsageError
from keeptime.model.token import Scope
from keeptime.store.tokens import TokenFile
from keeptime.web.door import Door

TLS = ["--tls-cert", "chain.pem", "--tls-key", "key.pem"]


def understood(*options: str) -> Guarding:
    parser = argparse.ArgumentParser()
    run.configure(parser)
    args = parser.parse_args(["contract.yaml", *options])
    return Guarding.of(args, address(args.listen, anywhere=True)[0])


@pytest.mark.parametrize("listen", ["0.0.0.0:5337", "10.1.2.3:5337", "[::]:5337", "sla.example.com:5337"])
def test_an_address_that_others_reach_takes_tls_or_a_proxy_and_a_token(tmp_path: Path, listen: str) -> None:
    with pytest.raises(UsageError, match="TLS"):
        understood("--listen", listen)
    for options in (TLS, ["--trusted-proxy", "10.0.0.7"]):
        guarding = understood("--listen", listen, *options)
        with pytest.raises(UsageError, match="keeptime token add"):
            guarding.rights(tmp_path)
    file = TokenFile(tmp_path)
    file.add("one", [Scope.READ], 0, None)
    rights = guarding.rights(tmp_path)
    file.path.unlink()
    assert rights.asked()


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "localhost:0"])
def test_loopback_is_open_until_there_is_a_token(tmp_path: Path, listen: str) -> None:
    assert not understood("--listen", listen).rights(tmp_path).asked()
    TokenFile(tmp_path).add("one", [Scope.READ], 0, None)
    assert understood("--listen", listen).rights(tmp_path).asked()


def test_behind_a_proxy_loopback_takes_a_token_too(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="keeptime token add"):
        understood("--trusted-proxy", "127.0.0.1").rights(tmp_path)


def test_what_is_understood(tmp_path: Path) -> None:
    guarding = understood(*TLS, "--host", "SLA.example.com.", "--host", "sla", "--trusted-proxy", "10.0.0.0/24")
    TokenFile(tmp_path).add("one", [Scope.READ], 0, None)
    door = guarding.door(guarding.rights(tmp_path), nowhere)
    assert door.hosts == {"sla.example.com", "sla"}
    assert [str(each) for each in door.proxies] == ["10.0.0.0/24"]
    assert guarding.scheme == "https"
    assert url_of("0.0.0.0", 1, guarding.scheme) == "https://0.0.0.0:1"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (TLS[:2], "belong together"),
        (TLS[2:], "belong together"),
        (["--host", "sla.example.com:5337"], "without a port"),
        (["--host", "*"], "host name"),
        (["--host", ""], "host name"),
        (["--trusted-proxy", "proxy"], "an address or a network"),
        (["--trusted-proxy", "10.0.0.1/24"], "has host bits set"),
    ],
)
def test_wrong_usage_is_one_sentence(options: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        understood(*options)


def options(*more: str) -> Options:
    parser = argparse.ArgumentParser()
    run.configure(parser)
    return Options.of(parser.parse_args(["contract.yaml", *more]))


def test_a_port_for_grpc_is_on_loopback_or_takes_tls_and_a_token(tmp_path: Path) -> None:
    assert options().otlp_grpc is None
    assert options("--otlp-grpc", "127.0.0.1:4317").otlp_grpc == ("127.0.0.1", 4317)
    assert not options("--otlp-grpc", "[::1]:0").guarding.rights(tmp_path).asked()
    with pytest.raises(UsageError, match="so it takes TLS"):
        options("--otlp-grpc", "0.0.0.0:4317")
    with pytest.raises(UsageError, match="keeptime token add"):
        options("--otlp-grpc", "0.0.0.0:4317", *TLS).guarding.rights(tmp_path)
    for odd in ("4317", "127.0.0.1", "127.0.0.1:99999", "unix:/tmp/x", "sla.example.com:4317"):
        with pytest.raises(UsageError, match="expected ADDRESS:PORT"):
            options("--otlp-grpc", odd)


def test_without_grpcio_it_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keeptime.web.otlp_grpc", None)
    with pytest.raises(UsageError, match="keeptime\\[grpc\\]"):
        exporters.grpc_port(("127.0.0.1", 0), lambda: None, Door(), None)
