"""The laws of the state machine, on a stretch of the bundled sample that decides, orders and fills."""

import os
import subprocess
import sys
import tomllib
from datetime import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replay.config import Config
from replay.desk import Block
from replay.engine.spool import Spool, journal_digest
from replay.events import FORECAST, Kind, Status
from replay.forecasts.weave import Weaver
from replay.inputs import Choices, gather
from replay.orders import ORDER_LOG, REQUEST, State
from replay.project import enhanced_toml
from replay.setup import build_engine, load, start_day
from strategy import StalenessGuard, plain_events
from strategy.decision import DECISION, Reason
from strategy.own_desk import Products
from strategy.own_loop import DecisionPipeline
from tests.engine.strategies import Quoter, bound

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
MORNING = {"start": time(9, 30), "end": time(10, 5)}
# Taken once; a change of a decision, an order or a fill changes it, a change of machine, numpy or numba must not.
GOLDEN = "470c9e7fac7466f33e948908f8c05f213856aa4aa5baf652df103a371897e3b2"
STRATEGIES = {"pipeline": lambda: None, "python": Quoter, "kernel": bound}
PRINT_DIGEST = """
from datetime import time
from replay.config import Config
from replay.runner import run
result = run(["data/sample"], forecasts="data/sample/forecasts.parquet", start=time(9, 30), end=time(9, 50))
print(result.journal_digest, len(result.fills))
"""


@pytest.mark.parametrize("name", STRATEGIES)
def test_block_size_changes_nothing(replay_sample, name):
    """Cutting the stream into blocks of any size, one event at a time included, gives the same bits."""
    results = [replay_sample([f"run.block_events={n}"], strategy=STRATEGIES[name]()) for n in (131_072, 1, 7, 1000)]

    assert len(results[0].fills) > 5
    assert {results[0].journal_digest} == {result.journal_digest for result in results}


@pytest.mark.portable
@pytest.mark.jit_off
def test_the_journal_is_the_same_on_every_machine(replay_sample):
    """Twenty minutes of the sample have the journal digest that they had when it was written down."""
    assert GOLDEN == replay_sample(end=time(9, 50)).journal_digest


@pytest.mark.parametrize("name", STRATEGIES)
def test_cutting_the_future_changes_nothing_before_the_cut(replay_sample, name):
    """A run that ends earlier has decided, ordered and filled the same until then."""
    full = replay_sample(strategy=STRATEGIES[name]())
    cut = replay_sample(strategy=STRATEGIES[name](), end=time(9, 55))
    limit = pd.Timestamp("2026-03-02 09:55", tz="America/New_York").value

    for table in ("decisions", "orders", "fills", "cycles"):
        before, after = getattr(cut, table), getattr(full, table)
        columns = [c for c in before.columns if c != "outcome_bps"]
        left = before[before["ts_ns"] < limit][columns].reset_index(drop=True)
        right = after[after["ts_ns"] < limit][columns].reset_index(drop=True)
        pd.testing.assert_frame_equal(right, left)


@pytest.mark.parametrize(
    "setting",
    [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "77"}, {"NUMBA_DISABLE_JIT": "1"}],
    ids=["hash seed 1", "hash seed 77", "jit off"],
)
def test_t20_processes_and_hash_seeds_agree(replay_sample, setting):
    """Other processes, other hash seeds and interpreted kernels give the same journal digest."""
    here = replay_sample(end=time(9, 50))
    env = {**os.environ, "PYTHONPATH": str(ROOT), **setting}
    if "NUMBA_DISABLE_JIT" not in setting:
        env.pop("NUMBA_DISABLE_JIT", None)
    done = subprocess.run([sys.executable, "-c", PRINT_DIGEST], cwd=ROOT, env=env, capture_output=True, text=True, check=True)

    assert f"{here.journal_digest} {len(here.fills)}" == done.stdout.strip()
    assert len(here.fills) > 0


@pytest.mark.parametrize("name", STRATEGIES)
def test_restart_from_a_snapshot_equals_the_uninterrupted_run(tmp_path, name):
    """An engine restored from a snapshot in mid-session goes on exactly as the one it was taken from."""
    whole = _fed(tmp_path / "whole", STRATEGIES[name], restart_after=())
    parts = _fed(tmp_path / "parts", STRATEGIES[name], restart_after=(3, 4, 9))

    assert whole[1]["fills"] > 5
    assert whole == parts


def test_a_stranger_changes_nothing(replay_sample):
    """A symbol without forecasts changes nothing for the others."""
    names = ["ALFA", "BRVO"]
    alone = replay_sample(symbols=names)
    crowd = replay_sample(symbols=[*names, "CHRL"], forecasts=_forecasts_of(names, alone.path))

    for table in ("decisions", "orders", "fills"):
        pd.testing.assert_frame_equal(getattr(alone, table), getattr(crowd, table), check_categorical=False)


@pytest.mark.parametrize("name", ["pipeline", "kernel"])
def test_live_decides_as_replay_did(tmp_path, name):
    """Fed with the answers that a replay gave, an engine without an exchange decides and orders the same."""
    recorded, replayed, engine = _recorded(tmp_path / "replay", STRATEGIES[name])
    answers = engine.world.answers[: engine.world.control[0]["answer_head"]]
    inputs = gather([SAMPLE], Config(), _choices(STRATEGIES[name]()))
    spool = _spool(tmp_path / "live")
    live = build_engine(inputs, spool)
    live.world.control["is_live"] = 1
    start_day(inputs, live, inputs.sessions[0])
    for block in _with_answers(recorded, answers):
        live.feed(block)
    live.flush()
    spool.close()
    requests = np.fromfile(tmp_path / "live" / "requests.rows", REQUEST)
    orders = np.fromfile(tmp_path / "replay" / "orders.rows", ORDER_LOG)
    sent = orders[np.isin(orders["state"], [State.SENT, State.CANCEL_SENT, State.MODIFY_SENT])]

    assert len(answers) > 20
    assert replayed.digests.get("decisions") == spool.digests.get("decisions")
    for name in ("ts_ns", "order_id", "side", "qty", "decision_id"):
        assert sent[name].tolist() == requests[name].tolist()


@pytest.mark.parametrize("form", ["original", pytest.param("enhanced", marks=pytest.mark.slow)])
def test_the_plain_form_decides_as_the_engine_did(tmp_path, form):
    """Dicts with names and dollars, one at a time, lead `DecisionPipeline` to the requests and decisions of the engine's loop."""
    config = Config() if form == "original" else Config.from_values(tomllib.loads(enhanced_toml()))
    choices = _choices(None, state_in=None if form == "original" else SAMPLE / "start.npz")
    recorded, _, engine = _recorded(tmp_path / "replay", lambda: None, config, choices)
    answers = engine.world.answers[: engine.world.control[0]["answer_head"]]
    inputs = gather([SAMPLE], config, choices)
    session, names = inputs.sessions[0], list(inputs.symbol_index)
    infos = {name: session.symbol_info(name) for name in names}
    products = Products(
        tick_usd={name: info.tick / session.scale for name, info in infos.items()},
        lot={name: info.lot for name, info in infos.items()},
        evidence={name: info.evidence for name, info in infos.items()},
    )
    own = DecisionPipeline(
        symbols=names, horizons_min=inputs.horizons_min, settings=config.strategy, products=products,
        equity_usd=config.run.equity_usd, seed=config.run.seed,
    )  # fmt: skip
    if choices.state_in is not None:
        own.load(choices.state_in)
    own.begin_day(session.day)
    requests, decided = [], []
    for block in _with_answers(recorded, answers):
        for event in block.events:
            requests += own.process([_plain(event, block, names)])
            decided += [(verdict.ts_ns, verdict.symbol, verdict.reason, verdict.target_qty) for verdict in own.verdicts]
    orders = np.fromfile(tmp_path / "replay" / "orders.rows", ORDER_LOG)
    sent = orders[np.isin(orders["state"], [State.SENT, State.CANCEL_SENT, State.MODIFY_SENT])]
    decisions = np.fromfile(tmp_path / "replay" / "decisions.rows", DECISION)

    assert len(answers) > 20
    assert [tuple(row) for row in sent[["ts_ns", "order_id", "side", "qty", "decision_id"]].tolist()] == [
        (request.ts_ns, request.order_id, request.side, request.qty, request.decision_id) for request in requests
    ]
    assert [names[row["symbol"]] for row in sent] == [request.symbol for request in requests]
    assert (sent["limit_price"] / session.scale).tolist() == [request.price_usd for request in requests]
    assert [(row["ts_ns"], names[row["symbol"]], row["reason"], row["target_qty"]) for row in decisions] == decided


def test_the_guard_alone_refuses_what_it_refuses_in_the_pipeline(tmp_path):
    """Beside the pipeline, on the same events and two minutes of silence in one feed, `StalenessGuard.check` says the same."""
    recorded, _, _ = _recorded(tmp_path / "replay", lambda: None)
    names = list(gather([SAMPLE], Config(), _choices(None)).symbol_index)
    settings = Config().with_sets(["staleness.mode=enhanced", "gate.mode=off", "cost.mode=off"]).strategy
    own = DecisionPipeline(symbols=names, settings=settings)
    guard = StalenessGuard(settings.staleness, symbols=names)
    own.begin_day("2026-03-02")
    open_ns = int(own.desk.clock["open_ns"][0])
    guard.begin_day(open_ns)
    silent_ns, found = (open_ns + 20 * 60 * 10**9, open_ns + 22 * 60 * 10**9), []
    for block in recorded:
        for event in block.events:
            if event["symbol"] == 0 and silent_ns[0] < event["ts_ns"] < silent_ns[1] and event["kind"] != Kind.FORECAST:
                continue
            plain = _plain(event, block, names)
            own.process(plain)
            found += [_both(verdict, row, guard) for verdict, row in zip(own.verdicts, own.decisions, strict=True)]
            if plain["kind"] != "forecast":
                guard.see(plain)

    assert {(Reason.TARGET_SET, False), (Reason.STALE_QUOTE, True)} <= {said for said, _ in found}
    assert [said for said, _ in found] == [heard for _, heard in found]


def _both(verdict, row, guard):
    """Return what pipeline and guard say of the inputs at a decision; a cycle runs before the event that brought the time."""
    heard = guard.check(verdict.ts_ns, verdict.symbol)
    refusals = {Reason.STALE_QUOTE, Reason.STALE_FEATURES, Reason.NO_QUOTE, Reason.QUOTE_CROSSED, Reason.HALTED}
    said = verdict.reason if verdict.reason in refusals else Reason.TARGET_SET
    return (said, bool(row["is_stale"])), (heard.reason, heard.is_stale)


def _plain(event, block, names):
    """Return a row as somebody without this project would have it."""
    kind, ts_ns, dollars = Kind(event["kind"]), int(event["ts_ns"]), 1 / 10_000
    symbol = names[event["symbol"]] if event["symbol"] >= 0 else None
    if kind == Kind.QUOTE:
        sides = (event["bid"] * dollars, int(event["bid_qty"]), event["ask"] * dollars, int(event["ask_qty"]))
        return plain_events.quote(ts_ns, symbol, *sides)
    if kind == Kind.TRADE:
        return plain_events.trade(ts_ns, symbol, event["price"] * dollars, int(event["qty"]), int(event["flags"]))
    if kind == Kind.BAR:
        return plain_events.bar(ts_ns, symbol)
    if kind == Kind.STATUS:
        return plain_events.status(ts_ns, symbol, Status(event["code"]).name)
    if kind == Kind.FORECAST:
        row = block.forecasts[event["row"]]
        return {"kind": "forecast", "ts_ns": ts_ns, "symbol": symbol} | {
            name: row[name].item() for name in FORECAST.names if name != "model"
        }
    known = {"price": event["price"] * dollars, "size": int(event["qty"]), "leaves": int(event["leaves_qty"])}
    known |= {"fee_usd": event["fee_micros"] / 1e6}
    return plain_events.answer(ts_ns, symbol, kind.name, int(event["order_id"]), **known)


def _recorded(folder, make_strategy, config=None, choices=None):
    """Replay a stretch; return its blocks, its spool and the engine, whose ring still holds every answer."""
    inputs = gather([SAMPLE], config or Config(), choices or _choices(make_strategy()))
    session = inputs.sessions[0]
    spool = _spool(folder)
    engine = build_engine(inputs, spool)
    load(inputs, engine, None)
    start_day(inputs, engine, session)
    start_ns, end_ns = inputs.span_of(session)
    weaver, fresh, blocks = Weaver(), inputs.forecasts_of(session), []
    for block in session.blocks(inputs.symbol_index, start_ns=start_ns, end_ns=end_ns, block_events=500):
        blocks += list(weaver.weave(Block(block.events.copy(), block.bars.copy(), block.forecasts), fresh))
        fresh = type(fresh)(fresh.ready[:0], fresh.rows[:0])
    for block in blocks:
        engine.feed(block)
    engine.flush()
    spool.close()
    return blocks, spool, engine


def _with_answers(blocks, answers):
    """Put each answer after the recorded events of its time and before, by its own block."""
    done = 0
    for k, block in enumerate(blocks):
        next_ns = blocks[k + 1].events["ts_ns"][0] if k + 1 < len(blocks) else None
        stamps, start = block.events["ts_ns"], 0
        while done < len(answers) and (next_ns is None or answers["ts_ns"][done] < next_ns):
            place = int(np.searchsorted(stamps, answers["ts_ns"][done], side="right"))
            yield Block(block.events[start:place], block.bars, block.forecasts)
            yield Block(answers[done : done + 1], block.bars, block.forecasts)
            start, done = place, done + 1
        yield Block(block.events[start:], block.bars, block.forecasts)


def _choices(strategy, state_in=None):
    given = None if strategy is not None else SAMPLE / "forecasts.parquet"
    return Choices(forecasts=given, strategy=strategy, state_in=state_in, **MORNING)


def _spool(folder):
    folder.mkdir()
    return Spool(folder)


def _forecasts_of(names, folder):
    rows = pd.read_parquet(SAMPLE / "forecasts.parquet")
    path = folder / "some.parquet"
    rows[rows["symbol"].isin(names)].to_parquet(path)
    return path


def _fed(folder, make_strategy, restart_after):
    """Feed a stretch in blocks of 500 events; after some of them go on in a new engine, restored."""
    folder.mkdir()
    strategy = make_strategy()
    given = None if strategy is not None else SAMPLE / "forecasts.parquet"
    inputs = gather([SAMPLE], Config(), Choices(forecasts=given, strategy=strategy, **MORNING))
    session = inputs.sessions[0]
    spool = Spool(folder)
    engine = build_engine(inputs, spool)
    start_day(inputs, engine, session)
    start_ns, end_ns = inputs.span_of(session)
    weaver, fresh = Weaver(), inputs.forecasts_of(session)
    for k, block in enumerate(session.blocks(inputs.symbol_index, start_ns=start_ns, end_ns=end_ns, block_events=500)):
        for piece in weaver.weave(Block(block.events.copy(), block.bars, block.forecasts), fresh):
            engine.feed(piece)
        fresh = type(fresh)(fresh.ready[:0], fresh.rows[:0])
        if k in restart_after:
            engine.flush()
            saved = engine.snapshot()
            inputs = gather([SAMPLE], Config(), Choices(forecasts=given, strategy=make_strategy(), **MORNING))
            engine = build_engine(inputs, spool)
            engine.restore(saved)
    engine.settle(session.hours.close_ns + 10**9)
    spool.close()
    return journal_digest(spool.digests), spool.counts
