"""A contract's text as a page may show it.

Guarantees: it is what is in force and to come, in the contract's own language; references to secrets stand in it as
such, and what may hold a secret does not: the query of a URL, a receiver's URL beyond its host, a header's value.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from keeptime.app.view import ContractView
from keeptime.contract.layout import block
from keeptime.contract.urls import SECRET_WORDS
from keeptime.contract.written import terms
from keeptime.web.describe import shown_receiver, shown_url

HIDDEN = "(not shown)"
_REFERENCE = re.compile("(env|file):.+")
_PLAIN_HEADERS = frozenset({"accept", "content-type", "user-agent"})


def text_of(view: ContractView) -> str:
    """The whole contract as YAML."""
    whole = [each for each in (*view.contract.objectives, *view.other_terms) if not each.segment]
    said = terms(replace(view.contract, objectives=tuple(whole)))
    fit = _fit(said)
    assert isinstance(fit, Mapping)
    return block(fit)


def _fit(value: object, name: str = "") -> object:
    """The same, fit to show. `name`: under which it stands."""
    if isinstance(value, Mapping):
        if name == "headers":
            return {key: _header(key, each) for key, each in value.items()}
        return {key: _fit(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_fit(each, name) for each in value]
    return _fit_text(value, name) if isinstance(value, str) else value


def _fit_text(text: str, name: str) -> str:
    if name in ("tell", "escalate"):
        return shown_receiver(text)
    if name == "body":
        return HIDDEN if SECRET_WORDS.search(text) else text
    if "://" in text and name != "links":
        return shown_url(text)
    return text


def _header(name: str, value: object) -> object:
    plain = name.lower() in _PLAIN_HEADERS or _REFERENCE.fullmatch(str(value))
    return value if plain else HIDDEN
