"""`keeptime tell test`, the real command, against receivers on loopback."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from keeptime.consumer import Verifier
from keeptime.errors import UsageError
from keeptime.tell.receivers.signing import headers
from keeptime.testing.recorder import recording, status
from tests.nobody import nobody_listening
from tests.tell.mail import mail_server

from .commands import run

CANARY = "canary-51d0"
CONTRACT = """\
contract: sentiment
endpoint: {{url: "http://127.0.0.1:5000/predict"}}
observe: [{{probe: 10s}}]
objectives: [99% of requests under 500ms over 28d]
consumers:
  - name: checkout
    tell: ["webhook:{hook}", "email:oncall@example.com via {mail}", "slack:env:SLACK_HOOK"]
operators:
  tell:
    - pagerduty: {{key: env:PAGERDUTY_KEY, url: "{hook}"}}
    - "log:{log}"
    - "alertmanager:http://127.0.0.1:{closed}"
"""


WIDE, NARROW = "200", "80"


async def keeptime(*words: str, **environment: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "keeptime", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | environment,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def tried(
    folder: Path, *words: str, columns: str = WIDE
) -> tuple[int, str, str, list[tuple[str, bytes]], list[str]]:
    """Exit code, stdout, stderr; what was posted (path, body); the subjects of the mails."""

    async def story() -> tuple[int, str, str, list[tuple[str, bytes]], list[str]]:
        async with recording(otherwise=status(200)) as hook, mail_server() as mail:
            with nobody_listening() as closed:
                text = CONTRACT.format(hook=hook.url, mail=mail.address, log=folder / "log", closed=closed)
                (folder / "contract.yaml").write_text(text)
                done = await keeptime(
                    *("tell", "test", str(folder / "contract.yaml"), *words),
                    COLUMNS=columns,
                    SLACK_HOOK=hook.url.replace("/hook", f"/{CANARY}"),
                    PAGERDUTY_KEY=CANARY,
                )
            posted = [(request.path, request.body) for request in hook.requests]
            return (*done, posted, [each["Subject"] for each, _ in mail.mails])

    return asyncio.run(story())


def test_every_receiver_is_tried_once_and_reported(tmp_path: Path) -> None:
    code, out, err, posted, subjects = tried(tmp_path, "--json")
    assert (code, err) == (1, "")
    results: list[dict[str, Any]] = json.loads(out)["receivers"]
    assert [(each["audience"], each["receiver"].partition(":")[0], each["taken"]) for each in results] == [
        ("checkout", "webhook", True),
        ("checkout", "email", True),
        ("checkout", "slack", True),
        ("operators", "pagerduty", True),
        ("operators", "log", True),
        ("operators", "alertmanager", False),
    ]
    assert results[0]["answer"] == "200"
    assert (results[5]["error"], results[5]["retry"]) == ("no connection: Connection refused", True)
    assert subjects == ["[TEST] sentiment: a test message, nothing happened"]
    assert sorted(path for path, _ in posted) == [f"/{CANARY}", "/hook", "/hook"]
    assert json.loads((tmp_path / "log").read_bytes())["type"] == "keeptime.test"
    assert all(b"test" in body for _, body in posted)
    assert CANARY not in out


@pytest.mark.parametrize(("to", "count"), [("checkout", 3), ("operators", 3), ("email", 1)])
def test_only_those_asked_for(to: str, count: int, tmp_path: Path) -> None:
    code, out, _, _, _ = tried(tmp_path, "--to", to, "--json")
    assert code == (1 if to == "operators" else 0)
    assert len(json.loads(out)["receivers"]) == count


def test_people_read_a_table(tmp_path: Path) -> None:
    code, out, _, _, _ = tried(tmp_path)
    assert code == 1
    assert "not taken: no connection: Connection refused" in out
    assert "taken: 250" in out
    assert CANARY not in out


def test_a_narrow_terminal_gets_lines(tmp_path: Path) -> None:
    _, out, _, _, _ = tried(tmp_path, "--to", "email", columns=NARROW)
    first, second = out.splitlines()
    assert first.startswith("sentiment, checkout: email:oncall@example.com")
    assert second == "  taken: 250"


def test_a_name_that_is_nobodys_is_wrong_usage(tmp_path: Path) -> None:
    code, out, err, posted, _ = tried(tmp_path, "--to", "chekout")
    assert (code, out, posted) == (2, "", [])
    assert "--to chekout: there is no such audience or kind of receiver; expected one of checkout, webhook" in err


def test_a_key_is_made_as_a_secret_or_as_a_pair(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("tell", "key", "--json") == 0
    assert Verifier(json.loads(capsys.readouterr().out)["secret"])
    assert run("tell", "key", "--ed25519") == 0
    secret, public = (line.split()[1] for line in capsys.readouterr().out.splitlines())
    assert Verifier(public).verify(headers("x", b"{}", [secret], 1e9), b"{}", 1e9).id == "x"


@pytest.mark.parametrize("words", [("key", "contract.yaml"), ("test",), ("test", "c.yaml", "--ed25519")])
def test_a_key_belongs_to_no_contract_and_a_test_does(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        run("tell", *words)
