"""Own orders as the measure: Flex XML and run folders, what they say and what they cannot."""

import json
from pathlib import Path

import pandas as pd
import pytest

from replay.errors import DataError, UsageError
from replay.validation import validate_executions
from replay.validation.flex import read_flex, read_time
from replay.validation.own_page import told_orders
from replay.validation.own_runs import read_run
from tests.validation.worlds import MS_NS, START_NS, message, opening, session

SECOND_NS = 1_000_000_000
ROW = {
    "symbol": "ALFA", "buySell": "BUY", "quantity": "50", "tradePrice": "1.00", "dateTime": "20260302;100002",
    "orderTime": "20260302;100001", "ibExecID": "00012ab.65e0f0aa.01.01", "ibOrderID": "501", "orderType": "LMT",
    "levelOfDetail": "EXECUTION",
}  # fmt: skip


def flex(folder: Path, *rows: dict[str, str], account: str = "U1234567") -> Path:
    """Write a Flex query with the given trades."""
    trades = "".join("<Trade " + " ".join(f'{name}="{value}"' for name, value in row.items()) + "/>" for row in rows)
    statement = f'<FlexStatement accountId="{account}"><Trades>{trades}</Trades></FlexStatement>'
    path = folder / "flex.xml"
    path.write_text(
        f'<FlexQueryResponse queryName="q" type="AF"><FlexStatements>{statement}</FlexStatements></FlexQueryResponse>'
    )
    return path


def market() -> object:
    """Return a market in which a bid of 50 at 1.00 that came one second after the start is filled one second later."""
    tape = [*opening(), message(1000, "add", 1, 1, 100, 50), message(1500, "execute", 9000, 1, 100, 300)]
    tape += [message(2000, "execute", 1, 1, 100, 50), message(2400, "add", 2, 1, 100, 10)]
    return session(tape)


def test_executions_of_one_order_become_one_order(tmp_path: Path) -> None:
    """Quantities add up, the limit is the worst price paid, the fill is the last one; a market order has no limit."""
    second = ROW | {"quantity": "30", "tradePrice": "1.01", "dateTime": "20260302;100003", "ibExecID": "00012ab.65e0f0aa.02.01"}
    sale = ROW | {
        "ibOrderID": "502",
        "buySell": "SELL",
        "quantity": "-7",
        "orderType": "MKT",
        "ibExecID": "00012ab.65e0f0ab.01.01",
    }
    bought, sold = read_flex(flex(tmp_path, ROW, second, sale)).to_dict("records")

    assert ("U1234567", "BUY", 80, 1.01) == (bought["account"], bought["side"], bought["qty"], bought["limit_price"])
    assert pytest.approx((50 * 1.00 + 30 * 1.01) / 80) == bought["fill_price"]
    assert (START_NS + SECOND_NS, START_NS + 3 * SECOND_NS) == (bought["sent_ns"], bought["fill_ns"])
    assert ("SELL", 7, True) == (sold["side"], sold["qty"], sold["limit_price"] != sold["limit_price"])


def test_a_correction_replaces_the_execution_it_corrects(tmp_path: Path) -> None:
    """Of executions that differ behind the last dot only, the highest counts, and nothing is added."""
    corrected = ROW | {"quantity": "40", "ibExecID": "00012ab.65e0f0aa.01.02"}
    orders = read_flex(flex(tmp_path, corrected, ROW))

    assert [40] == orders["qty"].tolist()


@pytest.mark.parametrize(
    "text",
    ["20260302;100000", "2026-03-02, 10:00:00 EST", "20260302 10:00:00 US/Eastern", "2026-03-02;10:00:00", "20260302-15:00:00"],
)
def test_times_are_new_yorks_unless_they_say_otherwise(text: str) -> None:
    """Every way in which IBKR writes a moment gives the same moment; with a hyphen it is UTC."""
    assert START_NS == read_time(text, "row 1")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"quantity": "many"}, "execution 1: `quantity` must be a number other than 0, got 'many'"),
        ({"tradePrice": ""}, "execution 1: `tradePrice` must be a number"),
        ({"buySell": "HOLD"}, "execution 1: `buySell` must be BUY or SELL, got 'HOLD'"),
        ({"dateTime": "yesterday"}, "execution 1: `dateTime` must be a time such as"),
        ({"dateTime": "20260302 10:00:00 Mars/Olympus"}, "`dateTime` must be a time such as"),
        ({"ibOrderID": ""}, "execution 1 lacks `ibOrderID`; add the field to the Flex query"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, change: dict[str, str], sentence: str) -> None:
    """One sentence says which execution, which field, what was expected and what came."""
    with pytest.raises(DataError, match=sentence.replace("(", r"\(")):
        read_flex(flex(tmp_path, ROW | change))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<FlexQueryResponse><Flex", "is no well-formed XML"),
        ("<html/>", "is no IBKR Flex query: its root is <html>"),
        ("<FlexQueryResponse><FlexStatements/></FlexQueryResponse>", "holds no executions"),
        ("", "is no well-formed XML"),
    ],
)
def test_a_file_that_is_no_flex_query_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """Malformed XML, another XML and an empty query each have a sentence of their own."""
    path = tmp_path / "bad.xml"
    path.write_text(text)

    with pytest.raises(DataError, match=sentence):
        read_flex(path)


def test_a_live_order_is_scored_against_its_shadow(tmp_path: Path) -> None:
    """A live fill that the queue explains is met at the same instant, price and quantity; its own size is hidden in the book."""
    result = validate_executions([market()], flex(tmp_path, ROW), ["behind_first"])
    row = result.scores.iloc[0]

    assert ("live", 1, 1, 1.0, 0.0, 1.0) == (
        row["account_kind"], row["orders"], row["filled"], row["same"], row["price_bps"], row["qty_ratio"],
    )  # fmt: skip
    assert [2.0] == ((result.shadows["fill_ns"] - START_NS) / SECOND_NS).tolist()
    assert any("whole seconds" in note for note in result.notes)


def test_paper_fills_are_kept_apart_and_said_to_calibrate_no_queue(tmp_path: Path) -> None:
    """An account that begins with DU is a paper account: scored on its own, with a word on what it is good for."""
    result = validate_executions([market()], flex(tmp_path, ROW, account="DU7654321"), ["behind_first"])

    assert ["paper"] == result.scores["account_kind"].tolist()
    assert any("calibrate plumbing and latency, not queue fills" in note for note in result.notes)


def test_orders_that_cannot_be_played_are_counted(tmp_path: Path) -> None:
    """Another symbol, another day, a midpoint price and a missing order time are counted by reason; nothing left is an error."""
    other, late = ROW | {"symbol": "ZULU", "ibOrderID": "2"}, ROW | {"orderTime": "20260303;100001", "ibOrderID": "3"}
    middle, timeless = ROW | {"tradePrice": "1.005", "ibOrderID": "4"}, ROW | {"orderTime": "", "ibOrderID": "5"}
    numbered = [row | {"ibExecID": f"a.b.{k}.01"} for k, row in enumerate((ROW, other, late, middle, timeless))]
    result = validate_executions([market()], flex(tmp_path, *numbered), ["behind_first"])

    assert [1, 2, 1] == list(result.excluded.values())
    assert 1 == len(result.orders)
    with pytest.raises(DataError, match=r"no order of .* can be played in these sessions"):
        validate_executions([market()], flex(tmp_path, *numbered[1:]), ["behind_first"])


def test_an_order_below_a_dollar_is_judged_by_the_tick_there(tmp_path: Path) -> None:
    """A price of 0.9905 is an order's own price where ticks are a hundredth of a cent (Rule 612), and 1.005 is none."""
    cheap = ROW | {"tradePrice": "0.9905", "ibOrderID": "2", "ibExecID": "a.b.1.01"}
    middle = ROW | {"tradePrice": "1.005", "ibOrderID": "3", "ibExecID": "a.b.2.01"}
    result = validate_executions([market()], flex(tmp_path, cheap, middle), ["behind_first"])

    assert [0.9905] == result.orders["limit_price"].tolist()
    assert [0, 0, 1] == list(result.excluded.values())


def test_the_page_shows_every_order_and_what_was_left_out(tmp_path: Path) -> None:
    """One page that loads nothing: scores per account kind and model, verdict and quantities of each order, reasons, notes."""
    other = ROW | {"symbol": "ZULU", "ibOrderID": "2", "ibExecID": "a.b.2.01"}
    result = validate_executions([market()], flex(tmp_path, ROW, other), ["behind_first", "trades_only"])
    page = result.save_page(tmp_path / "out" / "own.html").read_text(encoding="utf-8")

    for told in (
        "Live orders: 1",
        "behind first",
        "trades only",
        "same",
        "outside the sessions or of another symbol",
        "whole seconds",
    ):
        assert told in page
    assert "{{" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert ["own.html"] == [path.name for path in (tmp_path / "out").iterdir()]


def run_folder(folder: Path, mode: str) -> Path:
    """Write the tables of a small run: one order that was filled, one that was re-priced and then cancelled."""
    t = START_NS + 1000 * MS_NS
    states = [
        (1, t - 10 * MS_NS, 0, "SENT", 1.00, 50, 50, 0),
        (1, t + 10 * MS_NS, 0, "WORKING", 1.00, 50, 50, t + 10 * MS_NS),
        (1, t + 1000 * MS_NS, 0, "FILLED", 1.00, 50, 0, t + 10 * MS_NS),
        (2, t, 0, "SENT", 0.99, 20, 20, 0),
        (2, t + 100 * MS_NS, 0, "WORKING", 0.99, 20, 20, t + 100 * MS_NS),
        (2, t + 100 * MS_NS, 0, "MODIFY_SENT", 1.00, 20, 20, t + 100 * MS_NS),
        (2, t + 190 * MS_NS, 0, "WORKING", 1.00, 20, 20, t + 100 * MS_NS),
        (2, t + 200 * MS_NS, 0, "CANCELLED", 1.00, 20, 0, t + 100 * MS_NS),
    ]
    names = ["order_id", "ts_ns", "slice", "state", "limit_price", "qty", "leaves_qty", "ack_ts_ns"]
    orders = pd.DataFrame(states, columns=names).assign(symbol="ALFA", side="BUY", type="LIMIT", tif="DAY")
    fills = pd.DataFrame({"order_id": [1], "ts_ns": [START_NS + 2000 * MS_NS], "price": [1.0], "qty": [50]})
    orders.to_parquet(folder / "orders.parquet")
    fills.to_parquet(folder / "fills.parquet")
    (folder / "manifest.json").write_text(json.dumps({"mode": mode, "account": "U1", "config": {"latency": {"feed_ns": 7}}}))
    return folder


def test_a_live_run_is_read_price_by_price(tmp_path: Path) -> None:
    """A re-priced order is one order per price; a live order reaches the market half way to its acknowledgement."""
    orders = read_run(run_folder(tmp_path, "live"))

    assert ["1.0", "2.0", "2.1"] == orders["order_ref"].tolist()
    assert [1.00, 0.99, 1.00] == orders["limit_price"].tolist()
    assert [1000, 1050, 1150] == ((orders["sent_ns"] - START_NS) // MS_NS).tolist()
    assert [-1, 1150, 1200] == [-1 if end < 0 else (end - START_NS) // MS_NS for end in orders["end_ns"]]


def changed_folder(folder: Path, *changes: tuple[float, int], is_answered: bool = True) -> Path:
    """Write a replayed run of one order of 49 at 1.00 that got 9 shares, was changed every 100 ms, and then got all of it."""
    states = [(0, "SENT", 1.00, 49, 0), (41, "WORKING", 1.00, 49, 0), (60, "PARTIAL", 1.00, 49, 9)]
    old = (1.00, 49)
    for k, (price, qty) in enumerate(changes, 1):
        states += [(100 * k, "MODIFY_SENT", price, qty, 9), (100 * k + 30, "PARTIAL", *old, 20)]
        states += [(100 * k + 41, "PARTIAL", price, qty, 20)] if is_answered else []
        old = (price, qty)
    rows = [
        {"order_id": 30, "ts_ns": START_NS + ms * MS_NS, "state": state, "limit_price": price, "qty": qty, "leaves_qty": 49}
        for ms, state, price, qty, _ in states
    ]
    orders = pd.DataFrame(rows).assign(symbol="ALFA", side="BUY", type="LIMIT", tif="DAY", ack_ts_ns=0)
    times = [START_NS + ms * MS_NS for ms in (50, 120, 900)]
    fills = pd.DataFrame({"order_id": 30, "ts_ns": times, "price": 1.00, "qty": [9, 11, old[1] - 20]})
    orders.to_parquet(folder / "orders.parquet")
    fills.to_parquet(folder / "fills.parquet")
    legs = {"latency": {"compute_ns": MS_NS, "outbound_ns": 25 * MS_NS, "feed_ns": 15 * MS_NS}}
    (folder / "manifest.json").write_text(json.dumps({"mode": "replay", "config": legs}))
    return folder


@pytest.mark.parametrize(
    ("changes", "pieces"),
    [
        ([(1.01, 121)], [(41, 141, 49, 20), (141, None, 101, 101)]),
        ([(1.00, 121)], [(41, 141, 49, 20), (141, None, 101, 101)]),
        ([(1.00, 40)], [(41, None, 40, 40)]),
        ([(1.01, 49), (1.02, 121)], [(41, 141, 49, 20), (141, 241, 29, 0), (241, None, 101, 101)]),
    ],
)
def test_a_changed_order_begins_anew_where_its_change_arrives(tmp_path: Path, changes: list, pieces: list) -> None:
    """A new price or more shares make a piece of what was asked less what was filled by its arrival; fewer shares make none."""
    orders = read_run(changed_folder(tmp_path, *changes))
    ends = [None if end < 0 else (end - START_NS) // MS_NS for end in orders["end_ns"]]
    sent = ((orders["sent_ns"] - START_NS) // MS_NS).tolist()

    assert pieces == list(zip(sent, ends, orders["qty"], orders["filled_qty"], strict=True))


def test_a_change_that_was_never_made_cuts_nothing(tmp_path: Path) -> None:
    """Where no answer has the new terms, the order stays one with its old ones."""
    orders = read_run(changed_folder(tmp_path, (1.01, 49), is_answered=False))

    assert [(1.00, 49, 49)] == list(zip(orders["limit_price"], orders["qty"], orders["filled_qty"], strict=True))


def test_the_page_begins_with_the_orders_that_differ(tmp_path: Path) -> None:
    """Orders whose shadow met another fate come first, and changes that cut an order are told apart from what was sent."""
    early = ROW | {"ibOrderID": "401", "ibExecID": "a.b.4.01"}
    late = ROW | {"ibOrderID": "601", "ibExecID": "a.b.6.01", "dateTime": "20260302;100020"}
    result = validate_executions([market()], flex(tmp_path, early, late), ["behind_first"])
    page = result.save_page(tmp_path / "own.html").read_text(encoding="utf-8")

    assert page.index("<td>601</td>") < page.index("<td>401</td>")
    assert "those that differ first" in page
    assert "3 own orders (2 sent, cut at changes)" in told_orders(read_run(run_folder(tmp_path, "live")))


def test_a_live_run_is_scored(tmp_path: Path) -> None:
    """The filled order is met at its instant; the cancelled one is not filled."""
    row = validate_executions([market()], run_folder(tmp_path, "live"), ["behind_first"]).scores.iloc[0]

    assert ("live", 3, 1, 1.0, 0.0) == (row["account_kind"], row["orders"], row["filled"], row["same"], row["wrong"])


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """The error names the missing file and what to give."""
    with pytest.raises(DataError, match=r"is no run: manifest.json is missing; give a run's folder or a Flex XML file"):
        validate_executions([market()], tmp_path)


@pytest.mark.parametrize(("mode", "n_paths", "is_refused"), [("replay", 1, True), ("live", 1, False), ("replay", 2, False)])
def test_a_replayed_run_is_scored_against_its_own_recording_only(
    tmp_path: Path, mode: str, n_paths: int, is_refused: bool
) -> None:
    """Another recording is refused with what was replayed; a live run and a merged day have no digest to compare."""
    folder = run_folder(tmp_path, mode)
    facts = json.loads((folder / "manifest.json").read_text())
    facts["inputs"] = {"sessions": [{"paths": ["days/first", "days/second"][:n_paths], "digest": "0" * 64}]}
    (folder / "manifest.json").write_text(json.dumps(facts))

    if is_refused:
        with pytest.raises(UsageError, match=r"did not replay this recording of 2026-03-02 .* it replayed days/first: give"):
            validate_executions([market()], folder, ["behind_first"])
        return
    assert len(validate_executions([market()], folder, ["behind_first"]).orders)


def test_a_run_is_scored_against_what_it_replayed(tmp_path: Path) -> None:
    """The digest of the recording that was replayed is the one that the session tells."""
    folder = run_folder(tmp_path, "replay")
    facts = json.loads((folder / "manifest.json").read_text())
    facts |= {"account": None, "inputs": {"sessions": [{"paths": ["days/first"], "digest": market().digest}]}}
    (folder / "manifest.json").write_text(json.dumps(facts))

    assert ["replay"] == validate_executions([market()], folder, ["behind_first"]).scores["account_kind"].tolist()
