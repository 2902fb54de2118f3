"""The first page: a snapshot as words and bars, rendered to HTML without any script.

Guarantees: decides nothing (the judge's condition and reason are shown as they are); rounding never shows a
missed target as met; every name is escaped; colour is never the only sign.
"""

from collections import Counter

from jinja2 import Environment, PackageLoader, StrictUndefined

from keeptime import __version__
from keeptime.app.view import Snapshot
from keeptime.model.verdict import Condition
from keeptime.web.cards import WAITING, WORDS, WORST_FIRST, contract_card
from keeptime.web.figures import shown_age, shown_instant
from keeptime.web.happened import NOTHING, Rows
from keeptime.web.segments import MOST_SEGMENTS


def render(snapshot: Snapshot, refresh: int | None, incidents: Rows = NOTHING) -> str:
    """The page as HTML. `refresh`: seconds after which the browser asks again; None: never."""
    cards = [contract_card(view, snapshot) for view in snapshot.contracts]
    promised = [objective for card in cards for objective in card.objectives if not objective.internal]
    tally = Counter(objective.condition for objective in promised)
    return _PAGE.render(
        cards=cards,
        tally=[(condition, WORDS[condition], tally[condition]) for condition in WORST_FIRST if tally[condition]],
        troubled=[card for card in cards if card.condition not in (Condition.OK.value, WAITING)],
        title=_title(tally),
        words=WORDS,
        most_segments=MOST_SEGMENTS,
        refresh=refresh,
        at=shown_instant(snapshot.at, snapshot.at),
        reload_error=snapshot.reload_error,
        incidents=incidents,
        problems=snapshot.health.problems,
        uptime=shown_age(snapshot.health.now - snapshot.health.started),
        version=__version__,
    )


def _title(tally: Counter[str]) -> str:
    worst = next((condition for condition in WORST_FIRST if tally[condition]), None)
    if worst is None:
        return "no contracts"
    if worst == Condition.OK.value:
        return "all ok"
    return f"{tally[worst]} {WORDS[worst]}"


_PAGE = Environment(
    loader=PackageLoader("keeptime.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("first.html")
