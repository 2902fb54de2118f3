"""One contract as it stands, put together from the parts that know: counts, prober, reader, verdicts.

Guarantees: asking changes nothing and blocks on nothing. Decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keeptime.app.beside import Beside
from keeptime.app.counted import Counted
from keeptime.app.looking import Looking
from keeptime.app.ports import Following, Prober
from keeptime.app.view import ContractView
from keeptime.contract.terms import Contract
from keeptime.model.counters import RequestCounters
from keeptime.model.key import ObjectiveKey
from keeptime.model.sample import Sample
from keeptime.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Picture:
    """`counted`: since keeptime started, `beside`: in the last hour. `last_samples`: by contract."""

    prober: Prober
    following: Following
    looking: Looking
    counted: Counted
    beside: Beside
    last_samples: Mapping[str, Sample]

    def of(
        self, contract: Contract, verdicts: Mapping[ObjectiveKey, Verdict], counters: Mapping[str, RequestCounters]
    ) -> ContractView:
        """A contract with the terms that are in force."""
        keys = [contract.key(each) for each in contract.objectives]
        newest = tuple(verdicts.get(key) for key in keys)
        whole = self.looking.by_name.get(contract.name, contract)
        return ContractView(
            contract=contract,
            verdicts=newest,
            counted=tuple(map(self.counted.of, keys)),
            exclusions=tuple(map(self.counted.excluded, keys)),
            counters=counters[contract.name],
            in_flight=self.prober.in_flight(contract.name),
            last_sample=self.last_samples.get(contract.name),
            reads=self.following.reads(contract.name),
            source_problem=self.following.problem(contract.name),
            other_terms=tuple(each for each in whole.objectives if each not in contract.objectives),
            compliance=self.looking.compliance(contract, newest),
            signals=self.looking.signals.get(contract.name, {}),
            beside=tuple(self.beside.of(contract, each) for each in contract.objectives),
            latency=self.looking.latencies.get(contract.name),
            traffic=tuple(self.following.views(contract.name)),
        )
