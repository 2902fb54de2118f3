"""Receivers of a contract in Alertmanager's own words: webhook, email, slack, pagerduty.

Guarantees: no secret is written, but the file where it is found; what Alertmanager cannot do is said in a note.
Pure.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from keeptime.contract.mailing import SMTPS, Tls, host_and_port
from keeptime.export.prometheus.rules import Plain
from keeptime.model.alert import Address

SEVERITY = (
    '{{ if eq .CommonLabels.condition "broken" }}critical'
    '{{ else if eq .CommonLabels.severity "ticket" }}warning{{ else }}error{{ end }}'
)
"""PagerDuty's severity of a group of alerts, as keeptime itself chooses it."""

REFERENCES = ("env:", "file:")


@dataclass(slots=True)
class Configs:
    """`configs`: lists by Alertmanager's key, such as webhook_configs. `notes`: what it cannot do."""

    configs: dict[str, list[Plain]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def receiver_configs(addresses: Iterable[Address], *, resolved: bool) -> Configs:
    """One audience's receivers. `resolved`: does it hear of ends?"""
    out = Configs()
    for address in addresses:
        if (make := MAKERS.get(address.kind)) is None:
            out.notes.append(_beyond(address))
        else:
            config = {**make(address, out.notes), "send_resolved": resolved}
            out.configs.setdefault(f"{address.kind}_configs", []).append(config)
    return out


def _beyond(address: Address) -> str:
    if address.kind == "alertmanager":
        return "tells an Alertmanager, which this is; give the receiver that its people read"
    return f"the receiver '{address.kind}' has no counterpart in Alertmanager; give one, or tell by keeptime run"


def _webhook(address: Address, notes: list[str]) -> Plain:
    if address.secret:
        notes.append(f"Alertmanager does not sign; the secret {address.secret} is not used")
    if address.target.startswith(REFERENCES):
        return {"url_file": _file(address.target)}
    return {"url": address.target}


def _email(address: Address, notes: list[str]) -> Plain:
    place, tls = address.option("server"), Tls(address.option("tls"))
    beyond = tls is Tls.TLS and host_and_port(place)[1] != SMTPS
    config: Plain = {
        "to": address.target,
        "from": address.option("from"),
        "smarthost": place,
        "require_tls": tls is Tls.STARTTLS or beyond,  # means STARTTLS; at SMTPS there is TLS already
    }
    if beyond:
        notes.append(f"Alertmanager begins with TLS at port {SMTPS} alone; no mail goes out by {place}")
    if user := address.option("user"):
        notes.append(f"Alertmanager takes no user of a mail server from elsewhere; write auth_username ({user})")
        config["auth_password_file"] = _file(address.secret)
    return config


def _slack(address: Address, _: list[str]) -> Plain:
    return {"api_url_file": _file(address.target)}


def _pagerduty(address: Address, notes: list[str]) -> Plain:
    config: Plain = {"routing_key_file": _file(address.target), "severity": SEVERITY}
    url = address.option("url")
    if url.startswith(REFERENCES):
        notes.append(f"Alertmanager takes PagerDuty's URL from no file; write url ({url})")
    elif url:
        config["url"] = url
    return config


def _file(reference: str) -> str:
    """The file that holds it: for env:NAME the file secrets/NAME beside the configuration."""
    source, _, name = reference.partition(":")
    return name if source == "file" else str(PurePath("secrets") / name)


MAKERS: Mapping[str, Callable[[Address, list[str]], Plain]] = {
    "webhook": _webhook,
    "email": _email,
    "slack": _slack,
    "pagerduty": _pagerduty,
}
