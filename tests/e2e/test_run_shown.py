"""What `keeptime run` and `keeptime status` show of a running contract, and that no secret is in any of it."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.keeping import SECRET, Keeptime, keeping, terms, until
from tests.e2e.peers import consumer, model

CANARY = "canary-4711"
WITH_SECRETS = """\
contract: kept
endpoint:
  url: "{url}?key={canary}-url"
  method: POST
  headers: {{Authorization: "env:CANARY_TOKEN"}}
  json: {{data: 1}}
observe:
  - probe: {{every: 100ms, timeout: 1s}}
objectives:
  - 90% of requests under 200ms over 60s
policy:
  burn-rate:
    tiers: [{{severity: page, long: 3s, short: 1s, factor: 2}}]
consumers:
  - name: checkout
    tell: [{{webhook: {{url: "env:HOOK", secret: "env:HOOK_SECRET"}}}}]
  - name: dead
    tell: ["webhook:env:DEAD_HOOK"]
"""


def status(one: Keeptime, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "keeptime", "status", "--url", one.url, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=os.environ | {"COLUMNS": "80"})
    return done.returncode, done.stdout + done.stderr


def test_status_says_how_things_stand(tmp_path: Path) -> None:
    with model() as served, keeping(tmp_path, terms(served.url)) as one:
        one.start()
        one.await_condition("ok")
        code, said = status(one)
        assert code == 0
        assert max(map(len, said.splitlines())) <= 80
        assert "kept" in said
        code, said = status(one, "--json")
        assert code == 0
        (objective,) = json.loads(said)["contracts"][0]["objectives"]
        assert set(objective) == {
            *(
                "name",
                "condition",
                "good",
                "bad",
                "skipped",
                "excluded",
                "sli",
                "target",
                "burn_rate",
                "budget",
                "reason",
            ),
            *(
                "forecast",
                "compliance",
                "internal",
                "from",
                "until",
                "silence",
                "acknowledged",
                "segment",
                "beside",
            ),
        }
        assert set(objective["budget"]) == {"total", "spent", "left"}
        assert status(one, "other")[0] == 1
        assert status(one, str(one.contract), "--json")[0] == 0
        served.delay = 0.35
        reason = str(one.await_condition("broken")["reason"])
        code, said = status(one, "kept", "--json")
        assert code == 1
        assert json.loads(said)["contracts"][0]["objectives"][0]["condition"] == "broken"
        assert reason.split()[0] in said
        url = one.url
        assert one.end() == 0
        done = subprocess.run(
            [sys.executable, "-m", "keeptime", "status", "--url", url], capture_output=True, timeout=30
        )
        assert done.returncode == 1
        assert b"no keeptime answers" in done.stderr


def test_no_secret_is_shown_or_kept_anywhere(tmp_path: Path) -> None:
    with model() as served, consumer() as told:
        secrets = {"CANARY_TOKEN": f"Bearer {CANARY}-token", "DEAD_HOOK": f"http://127.0.0.1:9/{CANARY}-hook"}
        text = WITH_SECRETS.format(url=served.url, canary=CANARY)
        with keeping(tmp_path, text, f"{told.url}{CANARY}-hook", **secrets) as one:
            one.start()
            one.await_events(10)
            served.delay = 0.35
            one.await_condition("broken")
            until(lambda: bool(told.received), 10, "a message")
            until(lambda: b'receiver="webhook",result="failed"' in one.get("/metrics"), 20, "a failed delivery")
            served.delay = 2.0
            until(lambda: "timeout" in str(one.view()["failures"]), 10, "a time-out with its detail")
            shown = {path: one.get(path) for path in ("/contracts/kept", "/incidents", "/deliveries", "/ledger")}
            paths = ("/", "/metrics", "/api/v1/contracts", "/healthz", "/probe?contract=kept", "/no-such-page")
            shown |= {path: one.get(path) for path in paths}
            assert b"The contract's text" in shown["/contracts/kept"].replace(b"&#39;", b"'")
            shown["status"] = status(one)[1].encode()
            assert one.end() == 0
        shown["messages"] = b"".join(body for _, body in told.received)
        shown["log"] = one.log.encode()
        shown |= {str(file): file.read_bytes() for file in one.data.rglob("*") if file.is_file()}
        assert [name for name, body in shown.items() if CANARY.encode() in body] == []
        assert [name for name, body in shown.items() if SECRET.encode() in body] == []


def written(terminal: int) -> bytes:
    """What has been written since; nothing once the other side has closed, which Linux calls an error."""
    if not select.select([terminal], [], [], 0.2)[0]:
        return b""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def screen(
    command: list[str], environment: dict[str, str], wanted: bytes, seconds: float = 30
) -> tuple[bytes, int]:
    """What a program writes to a terminal until `wanted` has come, then Ctrl-C: all of it, and its exit code."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        command, stdin=child, stdout=child, stderr=child, env=environment, start_new_session=True
    )
    os.close(child)
    said, end = b"", time.monotonic() + seconds
    try:
        while wanted not in said and time.monotonic() < end:
            said += written(parent)
        process.send_signal(signal.SIGINT)
        while process.poll() is None:
            said += written(parent)
        return said, process.returncode
    finally:
        if process.poll() is None:
            process.kill()
        os.close(parent)


def test_a_terminal_shows_a_live_table(tmp_path: Path) -> None:
    with model() as served, keeping(tmp_path, terms(served.url)) as one:
        environment = one.environment | {"TERM": "xterm", "COLUMNS": "140", "LINES": "40"}
        said, code = screen(one.command(), environment, "● ok".encode())
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode(errors="replace"))
    assert "● ok" in text
    assert "90% of requests under" in text
    assert "Ctrl-C ends" in text
    assert "Traceback" not in text
    assert code == 0
