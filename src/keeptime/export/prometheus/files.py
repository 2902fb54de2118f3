"""The files of `keeptime export prometheus`: configuration, rules and their proofs, or a Kubernetes resource.

Guarantees: the same contracts and settings give the same bytes. Writes nothing itself.
"""

from collections.abc import Sequence

from keeptime.contract.terms import Contract
from keeptime.export.prometheus.compile import Options, compile_group
from keeptime.export.prometheus.proofs import proof
from keeptime.export.prometheus.rules import Group, as_yaml, rule_file
from keeptime.export.prometheus.sources import interval_of, prepared
from keeptime.export.settings import Files, Naming, Settings

HEAD = """\
# Written by `keeptime export prometheus` from {files}.
# Export again after a change of the contract; do not edit. Each rule builds on those before it:
# requests and bad ones since the last evaluation, sums over windows, what the policy demands, how the objective
# stands (0 ok, 1 no_data, 2 at_risk ticket, 3 at_risk page, 4 broken), and the alerts.
"""


def files(contracts: Sequence[Contract], settings: Settings) -> Files:
    """Relative path → text. Raises UsageError where a contract cannot be exported so."""
    head = HEAD.format(files=", ".join(dict.fromkeys(each.file for each in contracts)))
    ready, interval = prepared(contracts, settings), interval_of(contracts, settings)
    name = ready[0].name if len(ready) == 1 else "keeptime"
    options = Options(interval, settings.year, sloth=settings.naming is Naming.SLOTH)
    group = compile_group(name, ready, options)
    if settings.kubernetes:
        return {f"{name}.prometheusrule.yaml": head + _resource(name, group)}
    tests, missing = proof(f"../rules/{name}.yml", ready, interval)
    notes = "".join(f"# Not in here: {each}.\n" for each in missing)
    return {
        "prometheus.yml": head + _configuration(ready, settings, interval),
        f"rules/{name}.yml": head + rule_file([group]),
        f"tests/{name}.yml": f"# promtool test rules tests/{name}.yml\n{notes}{tests}",
    }


def _resource(name: str, group: Group) -> str:
    return as_yaml(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": f"keeptime-{name}", "labels": {"app.kubernetes.io/managed-by": "keeptime"}},
            "spec": {"groups": [group.plain()]},
        }
    )


def _configuration(contracts: Sequence[Contract], settings: Settings, interval: int) -> str:
    own = any(contract.source is None for contract in contracts)
    scrape = {"job_name": "keeptime", "static_configs": [{"targets": [settings.keeptime]}]}
    return as_yaml(
        {
            "global": {"scrape_interval": f"{interval}s", "evaluation_interval": f"{interval}s"},
            "rule_files": ["rules/*.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [settings.alertmanager]}]}]},
            "scrape_configs": [scrape] if own else [],
        }
    )
