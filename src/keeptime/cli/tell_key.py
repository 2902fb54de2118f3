"""`keeptime tell key`: a new signing secret for webhooks, shared or as a pair of keys.

Guarantees: made from the system's randomness, printed once and kept nowhere.
"""

import argparse


def run(args: argparse.Namespace) -> int:
    """Print what goes where. Contracts have nothing to do with it. Raises UsageError."""
    from keeptime.errors import UsageError

    if args.contracts or args.to:
        raise UsageError("tell key: a key belongs to no contract yet; expected no CONTRACT and no --to")
    made = _pair() if args.ed25519 else {"secret": _shared()}
    if args.json:
        import json

        print(json.dumps(made))
    else:
        for name, value in made.items():
            print(f"{name:<7} {value}")
    return 0


def _shared() -> str:
    import base64
    import secrets

    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _pair() -> dict[str, str]:
    from keeptime.tell.receivers.signing import new_pair

    secret, public = new_pair()
    return {"secret": secret, "public": public}
