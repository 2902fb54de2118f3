"""Runs one command as the command line does: configure a parser, parse, run."""

import argparse
from importlib import import_module


def run(name: str, *arguments: str) -> int:
    """The exit code of `keeptime NAME ARGUMENTS…`; wrong usage raises SystemExit(2), as argparse does."""
    module = import_module(f"keeptime.cli.{name}")
    parser = argparse.ArgumentParser(prog=f"keeptime {name}")
    module.configure(parser)
    code: int = module.run(parser.parse_args(arguments))
    return code
