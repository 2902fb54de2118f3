"""The alerts of a contract: one per condition that somebody is told of.

Guarantees: an alert fires exactly while the recorded standing says so. Its labels carry who promised what to whom,
its annotations the reason with the figures that decided, and the contract's links.
"""

import re
from collections.abc import Iterator, Sequence

from keeptime.contract.terms import Contract, Objective
from keeptime.export.prometheus.names import BAD, BUCKET_BAD, BUCKET_REQUESTS, REQUESTS, STANDING, TIER
from keeptime.export.prometheus.rules import Alerting
from keeptime.judge.reason import promise
from keeptime.judge.rules.rule import TierTerms
from keeptime.judge.standing import CONDITION, SEVERITY, Standing
from keeptime.model.verdict import Condition

ALERTS = {
    Condition.AT_RISK: "KeeptimeObjectiveAtRisk",
    Condition.BROKEN: "KeeptimeObjectiveBroken",
    Condition.NO_DATA: "KeeptimeObjectiveNoData",
}
"""The names that the embedded daemon's Alertmanager receiver gives too."""

TOLD = (Standing.BROKEN, Standing.PAGE, Standing.TICKET, Standing.NO_DATA)

_BAD_SHARE = (
    '{{{{ with printf "' + BAD + "{{slo='%s',window='%s'}} / " + REQUESTS + "{{slo='%s',window='%s'}}\" "
    '$labels.slo "{window}" $labels.slo "{window}" | query }}}}{{{{ . | first | value | humanizePercentage }}}}'
    "{{{{ end }}}}"
)


_COUNT = "{{{{ with printf \"{series}{{slo='%s',tier='%s'}}\" $labels.slo $tier | query }}}}" + (
    '{{{{ . | first | value | printf "%.0f" }}}}{{{{ end }}}}'
)


def alerts(
    contract: Contract, objective: Objective, tiers: Sequence[TierTerms], burn_window: str
) -> Iterator[Alerting]:
    """`burn_window`: the window whose share of bad requests the reason states ("1h"). A tier that has a bucket is
    told with what is in it instead."""
    key = contract.key(objective)
    for standing in TOLD:
        condition, severity = CONDITION[standing], SEVERITY[standing]
        at_risk = condition is Condition.AT_RISK
        yield Alerting(
            alert=ALERTS[condition],
            expr=f'{STANDING}{{slo="{key}"}} == {int(standing)}',
            labels={
                "contract": contract.name,
                "objective": objective.name,
                "provider": _literal(contract.provider),
                "model": _literal(contract.model),
                "condition": str(condition),
                **({"severity": str(severity)} if severity is not None else {}),
                "consumers": "" if objective.internal else consumers_label(contract),
                **({"internal": "true"} if objective.internal else {}),
            },
            annotations={
                **_annotations(contract, objective, condition, burn_window),
                **(_of_tiers(objective, [each for each in tiers if each.severity is severity]) if at_risk else {}),
            },
        )


def consumers_label(contract: Contract) -> str:
    """Every consumer between commas, so that a route finds one by `consumers=~".*,NAME,.*"`; "" without any."""
    names = [consumer.name for consumer in contract.consumers]
    return f",{','.join(names)}," if names else ""


def _annotations(contract: Contract, objective: Objective, condition: Condition, window: str) -> dict[str, str]:
    share = _BAD_SHARE.format(window=window)
    terms = _literal(promise(objective))
    reasons = {
        Condition.AT_RISK: f"{share} of requests were bad in the last {window}: at this pace '{terms}' is missed",
        Condition.BROKEN: f"'{terms}' is missed; {share} of requests were bad in the last {window}",
        Condition.NO_DATA: f"no request was observed; '{terms}' cannot be judged",
    }
    named = "{{ $labels.contract }}/{{ $labels.objective }}"
    links = {f"{re.sub(r'[^a-zA-Z0-9_]', '_', name)}_url": _literal(url) for name, url in contract.links.items()}
    return {
        "summary": f"{named}: {condition.replace('_', ' ')}",
        "reason": reasons[condition],
        "promise": terms,
        **links,
    }


def _of_tiers(objective: Objective, tiers: Sequence[TierTerms]) -> dict[str, str]:
    """Which of these tiers fires, the fastest first as in the judge; and why, where it has a bucket."""
    if not tiers:
        return {}
    firing = " or on (slo) ".join(f"{TIER}{{slo='%[1]s',tier='{tier.name}'}} > 0" for tier in tiers)
    found = f'{{{{ with printf "{firing}" $labels.slo | query }}}}'
    said = {"tier": f'{found}{{{{ . | first | label "tier" }}}}{{{{ end }}}}'}
    if tiers[0].bucket is None:
        return said
    terms = _literal(promise(objective))
    bad, requests = (_COUNT.format(series=series) for series in (BUCKET_BAD, BUCKET_REQUESTS))
    reason = (
        f'{found}{{{{ $tier := . | first | label "tier" }}}}{bad} of {requests} requests were bad since the bucket'
        f" began to fill ({{{{ $tier }}}} tier): at this pace '{terms}' is missed"
        f"{{{{ else }}}}at risk until requests keep '{terms}' again{{{{ end }}}}"
    )
    return {**said, "reason": reason}


def _literal(text: str) -> str:
    """A text in which nothing is taken for a template."""
    return text.replace("{{", '{{ "{{" }}')
