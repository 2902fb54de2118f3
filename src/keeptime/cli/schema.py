"""`keeptime schema`: the JSON Schema of a contract, for editors and other programs."""

import argparse
import json

EXAMPLES = """\
examples:
  keeptime schema > contract.schema.json
  # yaml-language-server: $schema=contract.schema.json    (first line of a contract: editors complete its keys)
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Print the JSON Schema (draft 2020-12) of a contract."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 - every command is called alike
    from keeptime.contract.schema import contract_schema

    print(json.dumps(contract_schema(), indent=2, ensure_ascii=False))
    return 0
