"""A past that was not lived: as it would have been, the same each time, and there whole or not at all."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from keeptime.app.keeper import Keeper
from keeptime.app.reading import read_contracts
from keeptime.app.recorded import PastKeeper
from keeptime.cli.main import main
from keeptime.demo.mishaps import What, mishaps
from keeptime.demo.past import CONTRACTS, Made, Order, make_past
from keeptime.demo.promises import promised
from keeptime.errors import UsageError
from keeptime.model.incident import IncidentQuery
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.ledger import LedgerQuery
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.chain import verified
from keeptime.store.sqlite import SqliteStore

END = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
"""A Monday, so that the Sunday's maintenance lies in the last 36 hours."""

GOOD, BAD = Tally(400), Tally(0, 400)
HOUR, DAY, TICK = 3600.0, 86_400.0, 60.0


def nothing(_: float) -> None:
    """Nobody looks at the progress."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_past(Order(tmp_path_factory.mktemp("past") / "data", 36 * HOUR, END), nothing)


@pytest.fixture
def store(made: Made) -> Iterator[SqliteStore]:
    with SqliteStore.open(made.data, tick_seconds=TICK, now=END) as opened:
        yield opened


def test_each_kind_of_mishap_is_seen_by_the_judge(made: Made) -> None:
    assert {each.what for each in made.mishaps} == set(What)
    assert made.topics["at_risk"] >= 2
    assert made.topics["no_data"] == 2, "both promises of the service that nothing came of"
    assert made.topics["recovered"] >= 3
    assert set(made.conditions.values()) == {"ok"}, "it ends well"


def test_what_was_told_was_delivered_and_can_be_proven(made: Made, store: SqliteStore) -> None:
    assert store.waiting() == []
    told = [each for name in made.contracts for each in store.transitions(name, 100)]
    assert len(told) == sum(made.topics.values())
    rows = store.ledger(LedgerQuery(after=0, most=1000))
    assert verified(rows).rows == len(rows) >= made.ledger
    assert {"decision", "delivery", "exclusion", "epoch", "contract"} <= {row.kind for row in rows}


def test_each_alert_became_an_incident_that_is_over(made: Made, store: SqliteStore) -> None:
    found = store.incidents(IncidentQuery())
    assert len(found) == made.topics["recovered"]
    assert all(each.ended is not None and each.ended > each.started for each in found)


def test_the_time_in_which_keeptime_did_not_run_is_a_gap(made: Made, store: SqliteStore) -> None:
    down = next(each for each in made.mishaps if each.what is What.DOWN)
    first, end = int(down.start / TICK), int(down.end / TICK)
    assert store.ticks_not_lived(made.first, made.until) == ((first, end - 1),)
    found = store.series(ObjectiveKey("search-ranking", "p99-300ms"), first - 60, end + 60, 200)
    assert [each.start for each in found if each.lived < each.end - each.start]
    silent = next(each for each in made.mishaps if each.what is What.SILENT)
    quiet = store.tallies(ObjectiveKey(silent.contract, _first_of(silent.contract)), int(silent.start / TICK),
                          int(silent.end / TICK), TICK)  # fmt: skip
    assert quiet == (), "lived through, without an event"


def test_maintenance_is_left_out_and_there_is_a_latency_of_everything(made: Made, store: SqliteStore) -> None:
    for name in made.contracts:
        counted = store.series(ObjectiveKey(name, _first_of(name)), made.first, made.until, 100)
        total = sum((each.value for each in counted if each.value is not None), Tally())
        sketches = store.sketch_series(SignalKey(name, Signal.REQUESTS), made.first, made.until, 100)
        took = sum(each.value.count for each in sketches if each.value is not None)
        assert 0.9 * total.slots < took <= total.slots
        assert (total.excluded > 0) == (name == "fraud-scores")
    days = store.exclusions(ObjectiveKey("fraud-scores", "p99.5-100ms"), made.first, made.until)
    assert {each.exclusion.reason for each in days} == {"weekly restart"}


def test_a_daemon_goes_on_from_there(made: Made, store: SqliteStore) -> None:
    contracts = read_contracts([str(made.data / CONTRACTS)], TICK)
    key = ObjectiveKey("search-ranking", "p99-300ms")
    record = TickRecord(made.until, {key: Tally(500)})
    kept = Keeper(store, contracts, TICK, made.until).keep([record], END + TICK)
    assert kept.problem == ""
    assert kept.verdicts[key].condition == "ok"
    assert kept.verdicts[key].good > 100_000
    assert kept.messages == ()


def _first_of(contract: str) -> str:
    return {"search-ranking": "p99-300ms", "fraud-scores": "p99.5-100ms", "sentiment": "p97-500ms"}[contract]


def run(directory: Path, seed: int) -> Made:
    return make_past(Order(directory, 3 * HOUR, END, seed, objectives=3), nothing)


def test_the_same_seed_makes_the_same_past(tmp_path: Path) -> None:
    one, again, other = (run(tmp_path / name, seed) for name, seed in (("a", 7), ("b", 7), ("c", 8)))
    assert (one.events, one.mishaps, one.topics, one.conditions) == (
        again.events, again.mishaps, again.topics, again.conditions
    )  # fmt: skip
    assert one.events != other.events
    key = ObjectiveKey("search-ranking", "p99-300ms")
    with (
        SqliteStore.open(one.data, tick_seconds=TICK, now=END) as mine,
        SqliteStore.open(again.data, tick_seconds=TICK, now=END) as same,
    ):
        assert mine.tallies(key, one.first, one.until, TICK) == same.tallies(key, one.first, one.until, TICK)


def test_many_ticks_at_once_are_decided_as_one_by_one(tmp_path: Path) -> None:
    """An outage of 20 ticks, silence for 10, and what follows of them."""
    text = promised(2)[0].text
    (tmp_path / "one.yaml").write_text(text)
    contracts = read_contracts([str(tmp_path / "one.yaml")], TICK)
    keys = [contracts[0].key(each) for each in contracts[0].objectives]
    first = int(END / TICK) - 130
    good = {
        **dict.fromkeys(range(130), 400),
        **dict.fromkeys(range(40, 60), 0),
        **dict.fromkeys(range(90, 100), -1),
    }
    records = [
        TickRecord(first + nth, {} if count < 0 else dict.fromkeys(keys, Tally(count, 400 - count)))
        for nth, count in good.items()
    ]
    found = []
    for name in ("block", "ticks"):
        with SqliteStore.open(tmp_path / name, tick_seconds=TICK, now=first * TICK) as opened:
            if name == "block":
                past = PastKeeper(opened, contracts, TICK, first)
                last = [kept for part in (records[:55], records[55:]) for kept in past.keep_past(part, 1.0)][-1]
            else:
                keeper = Keeper(opened, contracts, TICK, first)
                for record in records:
                    last = keeper.keep([record], (record.tick + 1) * TICK + 1.0)
            told = [(each.key, each.topic, each.tick) for each in opened.transitions(contracts[0].name, 99)]
            rows = [(row.at, row.kind) for row in opened.ledger(LedgerQuery(after=0, most=999))]
            found.append((last.verdicts, told, opened.alerts(), opened.memory(), rows))
    assert len(found[0][1]) >= 6
    assert found[0] == found[1]


def test_mishaps_do_not_overlap_and_the_end_is_quiet() -> None:
    for days in (1, 7, 90, 400):
        found = mishaps(["a", "b"], END - days * DAY, END, days)
        assert all(one.end < other.start for one, other in pairwise(found))
        assert {each.what for each in found} == set(What)
        assert found[-1].end < END - 0.1 * DAY / 5


def test_nothing_is_written_over_and_half_a_past_is_none(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("mine")
    with pytest.raises(UsageError, match="something already"):
        run(tmp_path / "there", 1)

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_past(Order(tmp_path / "new", HOUR, END, objectives=1), interrupted)
    assert [each.name for each in tmp_path.iterdir()] == ["there"]


def test_the_command_makes_it_and_says_how_to_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "a past"
    asked = ["demo", "--history", "2h", "--objectives", "1", "--data", str(where), "--until", "2026-11-23T12:00"]
    assert main([*asked, "--json"]) == 0
    printed = capsys.readouterr()
    said = json.loads(printed.out)
    assert said["command"] == f"keeptime run '{where}/contracts' --data '{where}' --tick 1m"
    assert said["ticks"] == 120
    assert said["contracts"] == ["search-ranking"]
    assert "100 %" in printed.err
    assert main(asked) == 2
    assert "something already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--history", "90"], "no unit"),
        (["--history", "5s"], "1h to 400d"),
        (["--history", "900d"], "1h to 400d"),
        (["--history", "1d", "--objectives", "0"], "1 to 1000"),
        (["--history", "1d", "--seed", "-1"], "from 0 on"),
        (["--history", "1d", "--tick", "7s"], "divide a minute"),
        (["--history", "1d", "--until", "soon"], "ISO 8601"),
        (["--history", "1d", "--until", "0001-01-01"], "after 1971"),
        (["--history", "1d", "--keep"], "--keep"),
        (["--seed", "3"], "belongs to --history"),
    ],
)
def test_what_means_nothing_is_refused(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", *given]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.soak
def test_ninety_days(tmp_path: Path) -> None:
    made = make_past(Order(tmp_path / "data", 90 * DAY, END), nothing)
    assert made.until - made.first == 129_600
    assert {"at_risk", "recovered", "no_data"} <= set(made.topics)
    with SqliteStore.open(made.data, tick_seconds=TICK, now=END) as opened:
        assert len(opened.series(ObjectiveKey("sentiment", "p97-500ms"), made.first, made.until, 91)) == 91
        assert opened.waiting() == []
        assert len(opened.closed_periods("search-ranking")) >= 4
