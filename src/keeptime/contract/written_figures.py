"""Times and shares as a contract's file would say them: a part of `keeptime.contract.written`.

Guarantees: what is written and read again is the same number.
"""

from decimal import Decimal, localcontext
from fractions import Fraction

from keeptime.units import format_duration


def duration(seconds: float) -> str:
    """The exact writing of a time."""
    micros = Fraction(repr(seconds)) * 1_000_000
    if micros.denominator == 1:
        return format_duration(seconds)
    return f"{decimal(micros):f}us"


def percent(ratio: Fraction) -> str:
    """The exact writing of a ratio that came from a percentage."""
    return f"{decimal(ratio * 100):f}%"


def decimal(number: Fraction) -> Decimal:
    """The same number; one that is not decimal is cut after 60 digits."""
    with localcontext() as context:
        context.prec = 60
        return (Decimal(number.numerator) / Decimal(number.denominator)).normalize()
