"""The reference holds every field, as the tables say it."""

import re

from keeptime.contract.reference import reference, walk

from .given import DOCS, valid


def test_the_reference_is_what_the_tables_say() -> None:
    page = (DOCS / "contract.md").read_text("utf-8")
    found = re.search(r"<!-- fields -->\n(.*)\n<!-- /fields -->", page, re.DOTALL)
    assert found is not None
    assert found[1].strip() == reference().strip(), (
        "put keeptime.contract.reference.reference() into docs/contract.md"
    )


def test_every_table_is_reached_and_every_field_explained() -> None:
    paths = {path for path, _ in walk()}
    assert {"", "endpoint", "endpoint.expect", "endpoint.tls", "observe.probe", "objectives", "consumers"} <= paths
    assert {"policy.burn-rate.tiers", "policy.sustained", "operators", "consumers.tell.webhook"} <= paths
    for _, table in walk():
        assert all(each.about.endswith((".", ")", "?")) for each in table.fields)


def test_the_contract_on_the_page_is_valid() -> None:
    page = (DOCS / "contract.md").read_text("utf-8")
    found = re.search(r"```yaml\n(contract:.*?)```", page, re.DOTALL)
    assert found is not None
    assert valid(found[1]).name == "sentiment-latency"
