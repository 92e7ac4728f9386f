"""`replay validate fills` from the command line."""

from pathlib import Path

import pandas as pd

from replay import Session


def test_fills_are_validated_and_the_page_is_written(replay, made_up: Path, tmp_path: Path) -> None:
    """The command prints the scores per model, the coverage and what is not scored, and leaves the page."""
    page = tmp_path / "page.html"
    told = replay(
        "validate",
        "fills",
        made_up,
        "--to",
        "09:32",
        "--model",
        "behind_first",
        "--resamples",
        20,
        "--out",
        page,
        "--no-progress",
    )

    assert 0 == told.exit_code, told.err
    assert "behind first" in told.out
    assert "Do the bands hold the truth?" in told.out
    assert "not scored:" in told.out
    assert page.is_file()


def test_json_is_one_object(replay, made_up: Path, tmp_path: Path) -> None:
    """`--json` prints every table but the single orders as one object."""
    told = replay(
        "validate", "fills", made_up, "--to", "09:32", "--model", "behind_first", "--no-bands", "--resamples", 0,
        "--out", tmp_path / "page.html", "--json", "--no-progress",
    )  # fmt: skip

    assert {"behind_first"} == {row["model"] for row in told.json["scores"]}
    assert [] == told.json["coverage"]


def test_own_orders_are_scored(replay, made_up: Path, tmp_path: Path) -> None:
    """`--executions` scores own orders of a Flex query; a market order of a paper account fills at once, as it did."""
    ask = Session.open(made_up).quotes("ALFA", prices="float").query("ask_size >= 5").iloc[500]
    at = pd.Timestamp(ask["ts_ns"], tz="UTC").tz_convert("America/New_York").strftime("%Y%m%d;%H%M%S")
    trade = {
        "symbol": "ALFA",
        "buySell": "BUY",
        "quantity": "5",
        "tradePrice": f"{ask['ask']:.2f}",
        "dateTime": at,
        "orderTime": at,
    }
    trade |= {"ibExecID": "1.1.1", "ibOrderID": "1", "orderType": "MKT"}
    fields = " ".join(f'{name}="{value}"' for name, value in trade.items())
    statement = f'<FlexStatement accountId="DU1"><Trades><Trade {fields}/></Trades></FlexStatement>'
    (tmp_path / "flex.xml").write_text(f"<FlexQueryResponse><FlexStatements>{statement}</FlexStatements></FlexQueryResponse>")
    asked = ("validate", "fills", made_up, "--executions", tmp_path / "flex.xml", "--model", "behind_first", "--no-progress")
    shown, told = replay(*asked), replay(*asked, "--json")

    assert 0 == shown.exit_code, shown.err
    assert "not queue fills" in shown.out
    assert "page: runs/own-executions.html" in shown.out
    assert [("paper", 1, 1.0)] == [(row["account_kind"], row["filled"], row["same"]) for row in told.json["scores"]]


def test_wrong_names_are_wrong_usage(replay, made_up: Path, tmp_path: Path) -> None:
    """An unknown degradation is wrong usage (2), a Flex file that is not there too, one that is none is bad data (3); each is one
    sentence.
    """
    bad = tmp_path / "bad.xml"
    bad.write_text("<oops")
    foggy = replay("validate", "fills", made_up, "--degrade", "foggy", "--no-progress")
    malformed = replay("validate", "fills", made_up, "--executions", bad, "--no-progress")
    absent = replay("validate", "fills", made_up, "--executions", tmp_path / "nope.xml", "--no-progress")

    assert (2, 1) == (foggy.exit_code, foggy.err.count("\n"))
    assert (3, 1) == (malformed.exit_code, malformed.err.count("\n"))
    assert "no well-formed XML" in malformed.err
    assert (2, 1, True) == (absent.exit_code, absent.err.count("\n"), "nope.xml` does not exist" in absent.err)
