"""The rules that Sloth writes for an SLO, from its documented output: the peer of `bench.prometheus_rules`.

Ratios over seven windows from the raw series, the period's as an unweighted mean of the 5-minute ratios, seven
series about the SLO, and a page and a ticket alert, in three groups without an interval of their own.
"""

from keeptime.model.key import ObjectiveKey

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
BURNS = {"page": (("5m", "1h", 13.44), ("30m", "6h", 5.6)), "ticket": (("2h", "1d", 2.8), ("6h", "3d", 0.9333))}
Rule = dict[str, object]


def sloth_groups(key: ObjectiveKey, target: float) -> list[dict[str, object]]:
    """The three groups of one SLO over 28 days."""
    name = f"{key.contract}-{key.objective}"
    labels = {"sloth_id": name, "sloth_service": key.contract, "sloth_slo": key.objective}
    parts = {
        "sli-recordings": _sli(key, labels),
        "meta-recordings": _meta(labels, target),
        "alerts": _alerts(labels),
    }
    return [{"name": f"sloth-slo-{kind}-{name}", "rules": rules} for kind, rules in parts.items()]


def _chosen(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _sli(key: ObjectiveKey, labels: dict[str, str]) -> list[Rule]:
    series = f'keeptime_objective_requests_total{{contract="{key.contract}",objective="{key.objective}",result'
    rules: list[Rule] = []
    for window in WINDOWS:
        bad, every = f'sum(rate({series}="bad"}}[{window}]))', f'sum(rate({series}=~"good|bad"}}[{window}]))'
        with_window = {**labels, "sloth_window": window}
        rules.append(
            {"record": f"slo:sli_error:ratio_rate{window}", "expr": f"({bad})\n/\n({every})", "labels": with_window}
        )
    base = f"slo:sli_error:ratio_rate5m{_chosen(labels)}"
    month = f"sum_over_time({base}[4w])\n/ ignoring (sloth_window)\ncount_over_time({base}[4w])"
    rules.append(
        {"record": "slo:sli_error:ratio_rate4w", "expr": month, "labels": {**labels, "sloth_window": "4w"}}
    )
    return rules


def _meta(labels: dict[str, str], target: float) -> list[Rule]:
    of, ids = _chosen(labels), "on(sloth_id, sloth_slo, sloth_service) group_left"
    exprs = {
        "slo:objective:ratio": f"vector({target})",
        "slo:error_budget:ratio": f"vector(1-{target})",
        "slo:time_period:days": "vector(28)",
        "slo:current_burn_rate:ratio": f"slo:sli_error:ratio_rate5m{of}\n/ {ids}\nslo:error_budget:ratio{of}",
        "slo:period_burn_rate:ratio": f"slo:sli_error:ratio_rate4w{of}\n/ {ids}\nslo:error_budget:ratio{of}",
        "slo:period_error_budget_remaining:ratio": f"1 - slo:period_burn_rate:ratio{of}",
        "sloth_slo_info": "vector(1)",
    }
    return [{"record": record, "expr": expr, "labels": labels} for record, expr in exprs.items()]


def _alerts(labels: dict[str, str]) -> list[Rule]:
    of = _chosen(labels)
    return [
        {
            "alert": "HighErrorRate",
            "expr": "\nor\n".join(_both(of, *burn) for burn in burns),
            "labels": {"severity": kind},
        }
        for kind, burns in BURNS.items()
    ]


def _both(of: str, short: str, long: str, factor: float) -> str:
    over = [
        f"max(slo:sli_error:ratio_rate{window}{of} > ({factor} * 0.01)) without (sloth_window)"
        for window in (short, long)
    ]
    return f"(\n    {over[0]}\n    and\n    {over[1]}\n)"
