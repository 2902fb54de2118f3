"""One target under atheris, a fuzzer that sees which code is reached: python -m tests.fuzz.fuzzing NAME [OPTIONS…].

Options are libFuzzer's. Ends with 0 when its time is over; on a bug with the traceback and the bytes in a file.
"""

import sys

import atheris

with atheris.instrument_imports(include=["keeptime"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    name, *options = sys.argv[1:]
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
