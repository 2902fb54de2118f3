"""A contract's terms read back from what is kept of its version (`keeptime.contract.fingerprint.written`).

Guarantees: what an older keeptime kept, without the newer fields, is read as if they had not been said; what cannot
be read gives ValueError. Only what a period is accounted by is read: no receiver, no secret, no policy.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from keeptime.contract.limits import Bound, Interval
from keeptime.contract.scope import Wanted, Where
from keeptime.contract.terms import (
    Calendar,
    Credits,
    CreditTier,
    Objective,
    Policy,
    PolicyKind,
    Rolling,
    Together,
    Window,
)
from keeptime.model.compliance import Basis
from keeptime.model.key import Signal

Kept = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeptTerms:
    """What a version promised, and to whom. `slots_per_second`: probes due; 0 where they are not keeptime's own."""

    provider: str
    model: str
    timezone: str
    objectives: tuple[Objective, ...]
    together: tuple[Together, ...]
    consumers: tuple[str, ...]
    basis: Basis
    slots_per_second: float

    def calendar(self, one: Objective) -> Calendar:
        """What it is accounted by: its own periods, or months of the contract's time zone."""
        return one.over if isinstance(one.over, Calendar) else Calendar("month", self.timezone)

    def slots(self, one: Objective) -> float:
        """All that may be events of this objective, per second; 0 where nobody knows beforehand."""
        if one.each is not None:
            return 1 / one.each.seconds
        return 0.0 if one.where else self.slots_per_second


def terms_of(written: str) -> KeptTerms:
    """Raises ValueError."""
    try:
        return _terms(json.loads(written))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"what is kept of the contract cannot be read ({type(error).__name__}: {error})") from None


def _terms(kept: Kept) -> KeptTerms:
    source, traffic, probes = kept.get("source"), kept.get("traffic") or (), kept.get("probes") or ()
    own = not traffic and source is None
    return KeptTerms(
        provider=kept["provider"],
        model=kept["model"],
        timezone=kept.get("timezone", "UTC"),
        objectives=tuple(map(_objective, kept["objectives"])),
        together=tuple(map(_together, kept.get("together", ()))),
        consumers=tuple(each["name"] for each in kept["consumers"]),
        basis=Basis.SAMPLED if own or (source is not None and _gauges(source)) else Basis.COUNTED,
        slots_per_second=sum(1 / each["every"] for each in probes) if own else 0.0,
    )


def _gauges(source: Kept) -> bool:
    """Another prober's gauges sample the time; they alone have a series of durations."""
    return "duration" in source["counts"]


def _objective(kept: Kept) -> Objective:
    each, at_least, credits = kept.get("each"), kept.get("at_least"), kept.get("credits")
    return Objective(
        name=kept["name"],
        target=_fraction(kept["target"]),
        under=kept["under"],
        over=_window(kept["over"]),
        policy=Policy(PolicyKind.BUCKETS),
        of=Signal(kept.get("of", Signal.REQUESTS)),
        errors=kept.get("errors", "bad"),
        warns_of=kept.get("warns_of", ""),
        begins=kept.get("begins"),
        ends=kept.get("ends"),
        credits=None if credits is None else _credits(credits),
        where=_where(kept.get("where", ())),
        each=None if each is None else Interval(**each),
        min_events=kept.get("min_events", 0),
        bounds=tuple(Bound(**bound) for bound in kept.get("bounds", ())),
        at_least=None if at_least is None else _fraction(at_least),
        segment=tuple((name, value) for name, value in kept.get("segment", ())),
        segment_of=kept.get("segment_of", ""),
    )


def _window(kept: Kept) -> Window:
    return Calendar(**kept) if "unit" in kept else Rolling(**kept)


def _where(kept: Iterable[Kept]) -> Where:
    return tuple(Wanted(each["attribute"], tuple(each["any_of"])) for each in kept)


def _credits(kept: Kept) -> Credits:
    tiers = tuple(CreditTier(_fraction(each["below"]), _fraction(each["credit"])) for each in kept["tiers"])
    cap = kept.get("cap")
    return Credits(tiers, None if cap is None else _fraction(cap), kept.get("of", ""))


def _together(kept: Kept) -> Together:
    credit = kept.get("credit")
    return Together(kept["name"], tuple(kept["all"]), None if credit is None else _fraction(credit))


def _fraction(pair: tuple[str, str]) -> Fraction:
    numerator, denominator = pair
    return Fraction(int(numerator), int(denominator))
