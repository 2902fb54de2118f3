"""Probes and real traffic beside each other: what each saw of an objective lately. Sums only."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Sides:
    """Requests of one objective by who observed them. `between`: of the traffic, those of which it is not known on
    which side of the threshold they were.
    """

    probe_good: int = 0
    probe_bad: int = 0
    traffic_good: int = 0
    traffic_bad: int = 0
    between: int = 0

    def __add__(self, other: "Sides") -> "Sides":
        return Sides(
            self.probe_good + other.probe_good,
            self.probe_bad + other.probe_bad,
            self.traffic_good + other.traffic_good,
            self.traffic_bad + other.traffic_bad,
            self.between + other.between,
        )

    def __sub__(self, other: "Sides") -> "Sides":
        return Sides(
            self.probe_good - other.probe_good,
            self.probe_bad - other.probe_bad,
            self.traffic_good - other.traffic_good,
            self.traffic_bad - other.traffic_bad,
            self.between - other.between,
        )

    @property
    def probes(self) -> int:
        return self.probe_good + self.probe_bad

    @property
    def traffic(self) -> int:
        """Those that are known to be good or bad."""
        return self.traffic_good + self.traffic_bad

    @property
    def whole(self) -> tuple[float, float] | None:
        """The SLI of all of them where what lies between was bad, and where it was good; None without requests."""
        good, events = self.probe_good + self.traffic_good, self.probes + self.traffic + self.between
        return (good / events, (good + self.between) / events) if events else None

    def all_good(self) -> "Sides":
        """As if all that lies between was good."""
        return replace(self, traffic_good=self.traffic_good + self.between, between=0)

    def all_bad(self) -> "Sides":
        """As if all that lies between was bad."""
        return replace(self, traffic_bad=self.traffic_bad + self.between, between=0)


@dataclass(frozen=True, slots=True)
class BesideView:
    """What is shown of it: `sides` of the last so many seconds. `disagreement`: a sentence while probes and users
    do not see the same, else "". `compared`: can they be compared at all?
    """

    sides: Sides
    seconds: float
    compared: bool
    disagreement: str = ""
