"""What the three examples do with a message: print one line of it. Yours would page someone, or switch models."""

import argparse
import os
import sys
import time

from keeptime.consumer import Inbox, Received


def tell(received: Received) -> None:
    """Returns when the message is dealt with. What it raises makes keeptime send the message again."""
    notice = received.notice
    if received.gap is not None:
        print(f"gap: {received.gap.text}", flush=True)
    if received.remark:
        print(received.remark, flush=True)
    if notice is None:
        print(f"{received.type}", flush=True)
        return
    print(f"{notice.topic} {notice.key}: {notice.reason}", flush=True)


def watch(inbox: Inbox) -> None:
    """Says once when heartbeats have stopped: whoever promised may not be able to tell any more."""
    known: set[str] = set()
    while True:
        time.sleep(1)
        silent = {each.contract: each.text for each in inbox.silent(time.time())}
        for contract in silent.keys() - known:
            print(f"silent: {silent[contract]}", flush=True)
        known = set(silent)


def secret() -> str:
    found = os.environ.get("KEEPTIME_SECRET", "")
    if not found:
        sys.exit("KEEPTIME_SECRET is not set")
    return found


def port() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0, help="0: the system chooses one")
    chosen: int = parser.parse_args().port
    return chosen
