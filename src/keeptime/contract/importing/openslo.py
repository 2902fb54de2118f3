"""OpenSLO v1 and v1alpha documents, as contracts.

Guarantees: each objective of an SLO becomes a contract that counts the same events, or an error that names its
place; SLOs that keeptime itself exported become the contract they were. What has no word in a contract is named.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from keeptime.contract.given import Terms
from keeptime.contract.importing.fields import Fields
from keeptime.contract.importing.found import Document, Found
from keeptime.contract.importing.openslo_own import Member, Own, again, own_terms
from keeptime.contract.importing.openslo_sli import indicator, inline_alpha, metric_url
from keeptime.contract.importing.openslo_time import window
from keeptime.contract.importing.promised import THEIRS, links, observed, promise, target
from keeptime.contract.report import Spoiled, quote

VERSIONS = ("openslo/v1", "openslo/v1alpha")
_TOLD = ("AlertPolicy", "AlertCondition", "AlertNotificationTarget")


@dataclass(slots=True)
class _Index:
    """Documents that others refer to, by kind and name; `used`: those that something refers to."""

    by_name: dict[tuple[str, str], Document] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)

    def add(self, kind: str, document: Document) -> None:
        try:
            name = _name(document.fields)
        except Spoiled:
            return
        if (kind, name) in self.by_name:
            message = f"two documents are the {kind} {quote(name)}; a name stands for one"
            document.context.report.error(document.fields.place, "duplicate-name", message)
        self.by_name.setdefault((kind, name), document)

    def find(self, kind: str, name: str) -> Document | None:
        self.used.add((kind, name))
        return self.by_name.get((kind, name))


def read_all(documents: Sequence[Document]) -> None:
    """The SLOs of all documents; they refer to each other by name, wherever they are."""
    index, slos = _Index(), []
    for document in documents:
        kind = _kind(document)
        if kind == "SLO":
            slos.append(document)
        elif kind in _TOLD:
            message = f"{kind} is left out: a contract says who is told by its consumers, operators and policy"
            document.context.report.warning(document.fields.place, "left-out", message)
        elif kind:
            index.add(kind, document)
    own: dict[str, Own] = {}
    for slo in slos:
        with suppress(Spoiled):
            _Slo(slo, index).read(own)
    for each in own.values():
        with suppress(Spoiled):
            again(each)
    _name_unused(index)


def _kind(document: Document) -> str:
    """Its kind, "" where it cannot be read (that is reported)."""
    fields, report = document.fields, document.context.report
    try:
        version, kind = fields.need("apiVersion", "openslo/v1"), fields.need("kind", "SLO")
    except Spoiled:
        return ""
    if version.text not in VERSIONS:
        message = f"{quote(version.text)} is no version that can be read; expected {' or '.join(VERSIONS)}"
        report.error(version.place, "wrong-format", message)
        return ""
    if kind.text not in ("SLO", "SLI", "Service", "DataSource", *_TOLD):
        report.error(kind.place, "wrong-format", f"OpenSLO has no kind {quote(kind.text)}; expected SLO")
        return ""
    return kind.text


def _name(fields: Fields) -> str:
    return fields.need_table("metadata", "metadata: {name: …}").need("name", "a name").text


def _name_unused(index: _Index) -> None:
    """Documents that nothing refers to, and what was not read in the others."""
    for (kind, name), document in index.by_name.items():
        if (kind, name) not in index.used:
            message = f"the {kind} {quote(name)} is left out: no SLO that could be read refers to it"
            document.context.report.warning(document.fields.place, "left-out", message)
            continue
        with suppress(Spoiled):
            for key in ("metadata", "spec"):
                table = document.fields.table(key)
                if table is not None:
                    table.pass_over("displayName", "description", "type")
                    if (annotations := table.table("annotations")) is not None:
                        annotations.name_the_rest()
                    table.name_the_rest()
            document.fields.name_the_rest()


class _Slo:
    """One SLO on its way to contracts. Raises Spoiled where it cannot be read."""

    def __init__(self, document: Document, index: _Index) -> None:
        self._fields, self._context, self._index = document.fields, document.context, index
        self._report = document.context.report
        self._alpha = document.fields.string("apiVersion").endswith("alpha")
        self._metadata = document.fields.need_table("metadata", "metadata: {name: …}")
        self._spec = document.fields.need_table("spec", "the spec of the SLO")
        self._name = self._metadata.need("name", "a name").text
        self._service = self._spec.string("service")
        self._service_document = index.find("Service", self._service) if self._service else None

    def read(self, own: dict[str, Own]) -> None:
        method = self._spec.need("budgetingMethod", "Occurrences")
        if method.text != "Occurrences":
            message = f"the budgeting method {quote(method.text)} cannot be said: a contract counts requests"
            raise self._report.spoil(method.place, "budgeting-method", f"{message}; expected Occurrences")
        over = window(self._spec, self._context, self._alpha)
        notes = tuple(t for t in (self._metadata.string("displayName"), self._spec.string("description")) if t)
        if not self._put_with_its_own(over, own):
            self._each_objective(over, notes)
        self._name_the_rest()

    def _each_objective(self, over: Terms, notes: tuple[str, ...]) -> None:
        objectives = self._spec.tables("objectives")
        if not objectives:
            message = f"{self._spec.path('objectives')}: an SLO needs objectives"
            raise self._report.spoil(self._spec.place, "missing-key", message)
        sli, pages = self._indicator(), self._pages()
        of = f", service {self._service}" if self._service else ""
        for number, objective in enumerate(objectives, 1):
            try:
                terms = self._objective(objective, sli, over)
            except Spoiled:
                continue
            title, wanted, origin = objective.string("displayName"), self._name, f"OpenSLO SLO {self._name}{of}"
            if len(objectives) > 1:
                wanted, origin = f"{self._name}-{title or number}", f"{origin}, objective {title or number}"
            objective.name_the_rest()
            model: Terms = {"model": self._service} if self._service else {}
            self._context.keep(Found(wanted, origin, objective.place, model | terms | pages, notes))

    def _put_with_its_own(self, over: Terms, own: dict[str, Own]) -> bool:
        """Is it an SLO that keeptime exported? Then it is put with the others of its contract."""
        service = self._service_document
        if self._alpha or service is None:
            return False
        carried = own_terms(self._metadata, "objective")
        whole = own_terms(service.fields.need_table("metadata", "metadata: {name: …}"), "observe")
        if carried is None or whole is None:
            return False
        objectives, sli = self._spec.tables("objectives"), self._indicator()
        if len(objectives) != 1 or sli is None:
            message = f"SLO {self._name}: changed since keeptime exported it; expected one objective, one indicator"
            raise self._report.spoil(self._spec.place, "changed-since-export", message)
        terms = carried | {"target": _goal(objectives[0])} | over
        member = Member(self._context, self._fields.place, terms, sli, metric_url(sli, self._source_url))
        own.setdefault(self._service, Own(self._service, service, whole)).add(member)
        objectives[0].string("displayName")
        objectives[0].name_the_rest()
        return True

    def _objective(self, objective: Fields, sli: Fields | None, over: Terms) -> Terms:
        if objective.has("indicator") or objective.has("indicatorRef"):
            message = f"{objective.what}: indicators of its objectives make a composite SLO; write one SLO for each"
            raise self._report.spoil(objective.place, "composite", message)
        goal = _goal(objective)
        chosen = (inline_alpha(objective) if self._alpha else None) or sli
        if chosen is None:
            message = f"{objective.what}: no indicator; expected indicator or indicatorRef"
            raise self._report.spoil(objective.place, "one-indicator", message)
        measured = indicator(chosen, objective, self._source)
        url = self._context.settings.url or metric_url(chosen, self._source_url)
        title = objective.string("displayName")
        name = title if re.search("[A-Za-z0-9]", title) else self._name
        promised = promise(name, goal, str(over["over"]), measured)
        return {"observe": observed(measured, url), "objectives": [promised | over], "policy": THEIRS}

    def _indicator(self) -> Fields | None:
        """The spec of the SLI, inline or referred to; None where each objective brings its own."""
        spec = self._spec
        if spec.has("indicator") and spec.has("indicatorRef"):
            message = f"{spec.what}: both indicator and indicatorRef are given; expected one"
            raise self._report.spoil(spec.place_of("indicatorRef"), "one-indicator", message)
        inline = spec.table("indicator")
        if inline is not None:
            return inline if self._alpha else inline.need_table("spec", "the spec of the SLI")
        ref = spec.text("indicatorRef")
        if ref is None:
            return None
        found = self._index.find("SLI", ref.text)
        if found is None:
            message = f"{spec.path('indicatorRef')}: no SLI is named {quote(ref.text)} in these files"
            raise self._report.spoil(ref.place, "no-such-name", message)
        return found.fields.need_table("spec", "the spec of the SLI")

    def _source(self, name: str) -> Fields | None:
        """The spec of a DataSource."""
        found = self._index.find("DataSource", name)
        return None if found is None else found.fields.table("spec")

    def _source_url(self, name: str) -> str:
        spec = self._source(name)
        details = None if spec is None else spec.table("connectionDetails")
        if details is None:
            return ""
        url = details.string("url") or details.string("address")
        details.name_the_rest("a contract takes the URL alone; say headers under observe")
        return url

    def _pages(self) -> Terms:
        annotations = self._metadata.table("annotations")
        pages = {} if annotations is None else links(annotations)
        return {"links": pages} if pages else {}

    def _name_the_rest(self) -> None:
        inline = self._spec.table("indicator")
        if inline is not None:
            for key in ("metadata", "spec"):
                if (table := inline.table(key)) is not None:
                    table.pass_over("name", "displayName")
                    table.name_the_rest()
            inline.name_the_rest()
        annotations = self._metadata.table("annotations")
        if annotations is not None:
            annotations.name_the_rest()
        self._metadata.name_the_rest()
        self._spec.name_the_rest("a contract says who is told by its consumers, operators and policy")
        self._fields.name_the_rest()


def _goal(objective: Fields) -> str:
    given = [key for key in ("target", "targetPercent") if objective.has(key)]
    if len(given) != 1:
        message = f"{objective.what}: expected one of target and targetPercent"
        raise objective.report.spoil(objective.place, "bad-target", message)
    whole = 1 if given == ["target"] else 100
    return target(objective.need(given[0], "a number"), whole, objective.report, objective.path(given[0]))
