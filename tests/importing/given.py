"""Files of other tools that the tests start from."""

from pathlib import Path

from keeptime.contract.importing.found import Settings
from keeptime.contract.importing.reading import Imported, import_files
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract

EXAMPLES = Path(__file__).parents[2] / "examples" / "import"

SLOTH = """\
version: prometheus/v1
service: api
slos:
  - name: errors
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{code="500"}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting: {}
"""
PYRRA = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: errors}
spec:
  target: "99.9"
  window: 4w
  indicator:
    ratio:
      errors: {metric: 'http_requests_total{code="500"}'}
      total: {metric: http_requests_total}
"""
OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: errors}
spec:
  service: api
  indicator:
    metadata: {name: errors}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'sum(http_requests_total{code="500"})'}}}
        total: {metricSource: {type: Prometheus, spec: {query: sum(http_requests_total)}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
"""
TEXTS = {"sloth": SLOTH, "pyrra": PYRRA, "openslo": OPENSLO}


def imported(kind: str, text: str, tmp_path: Path, **settings: str) -> Imported:
    file = tmp_path / "given.yml"
    file.write_text(text, "utf-8")
    return import_files(kind, [str(file)], Settings(**settings), "contracts.yaml")


def contracts(found: Imported) -> tuple[Contract, ...]:
    """The contracts of the text, which must be valid."""
    result = load_text(found.text.encode(), "contracts.yaml")
    assert result.valid, "\n".join(map(str, result.problems))
    assert found.names == tuple(contract.name for contract in result.contracts)
    return result.contracts


def one(kind: str, text: str, tmp_path: Path, **settings: str) -> Contract:
    """The one contract of a file that can be said whole."""
    found = imported(kind, text, tmp_path, **settings)
    assert found.whole, "\n".join(map(str, found.problems))
    (contract,) = contracts(found)
    return contract


def said(found: Imported, code: str) -> list[str]:
    """The problems with this code, each as line:column and message."""
    return [f"{each.line}:{each.column} {each.message}" for each in found.problems if each.code == code]


def changed(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text
