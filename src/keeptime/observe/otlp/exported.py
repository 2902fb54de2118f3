"""What became of one export."""

from collections import Counter
from dataclasses import dataclass, field

from keeptime.observe.intake.refusing import Wrong

MOST_SAID = 5
"""Reasons that are told of one export."""


@dataclass(frozen=True, slots=True)
class Exported:
    """How many points or spans were refused, and why, in words."""

    rejected: int = 0
    message: str = ""


@dataclass(slots=True)
class Refusals:
    """Those of one export, by their reasons."""

    reasons: Counter[str] = field(default_factory=Counter)

    def note(self, where: str, why: Wrong) -> None:
        text = f"{where}: {why}"
        if text not in self.reasons and len(self.reasons) >= MOST_SAID:
            text = "other reasons"
        self.reasons[text] += 1

    def exported(self, otherwise: str = "") -> Exported:
        """`otherwise`: what is said where nothing was refused."""
        rejected = self.reasons.total()
        said = [f"{text} ({many} times)" if many > 1 else text for text, many in self.reasons.items()]
        return Exported(rejected, "; ".join(said)[:2000] or otherwise)
