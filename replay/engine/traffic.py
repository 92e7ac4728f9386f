"""What travels between strategy and exchange, and what is written down about it.

Requests wait in one ring, answers in another; both are first in, first out, as on the one connection a trader has. At equal
times the order is: timer, expiry at the exchange, recorded event, arrival at the exchange, answer to the strategy. So an order
acts after all events up to its arrival, and a strategy sees the market before it sees its own fill.
"""

from fills.delays import ANSWER_LEG, CANCEL_LEG, FEED_LEG, OUTBOUND_LEG, delay_ns, way_ns
from fills.exchange import on_expiry, on_request
from replay.answers import apply_answer
from replay.desk import NEVER, find_order
from replay.engine.world import MARK_EVERY_NS
from replay.events import Kind
from replay.jit import kernel, leaf
from replay.orders import Action, State

NOTHING = 0
TIMER = 1
EXPIRY = 2
ARRIVAL = 3
ANSWER = 4

STOP_IN_FLIGHT = 10
STOP_VENUE = 20  # plus the venue's own code


@kernel
def next_due(world, ts_ns):
    """Name what is due before the recorded event at `ts_ns`, or NOTHING."""
    control = world.control[0]
    timer_ns = world.desk.clock[0]["next_timer_ns"]
    expiry_ns = world.venue.ctl[0]["next_expiry_ns"]
    arrival_ns = NEVER
    answer_ns = NEVER
    if control["arrival_count"] > 0:
        arrival_ns = world.arrival_due_ns[control["arrival_head"]]
    if control["answer_count"] > 0:
        answer_ns = world.answers[control["answer_head"]]["ts_ns"]
    first_ns = min(timer_ns, expiry_ns, arrival_ns, answer_ns)
    if first_ns > ts_ns:
        return NOTHING
    if timer_ns == first_ns:
        return TIMER
    if expiry_ns == first_ns:
        return EXPIRY
    if first_ns == ts_ns:
        return NOTHING
    return ARRIVAL if arrival_ns == first_ns else ANSWER


@kernel
def start_timer(world):
    """Set the clock to the timer that is due and clear it; the strategy sets the next one."""
    clock = world.desk.clock[0]
    clock["now_ns"] = max(clock["now_ns"], clock["next_timer_ns"])
    clock["next_timer_ns"] = NEVER


@kernel
def act(what, world):
    """Let the exchange do what is due: an expiry or the oldest arrival."""
    control = world.control[0]
    if what == EXPIRY:
        on_expiry(world.venue.ctl[0]["next_expiry_ns"], world.desk.book, world.venue)
    else:
        head = control["arrival_head"]
        on_request(world.arrivals, head, world.arrival_due_ns[head], world.desk.book, world.venue)
        control["arrival_head"] = (head + 1) % len(world.arrivals)
        control["arrival_count"] -= 1
    collect(world)


@kernel
def collect(world):
    """Take the answers that the exchange just gave and send them on their way; log the fills."""
    venue = world.venue
    count = venue.ctl[0]["n_answers"]
    for k in range(count):
        _send_answer(k, world)
    venue.ctl[0]["n_answers"] = 0
    world.desk.clock[0]["is_busy"] = 1
    if venue.ctl[0]["status"] != 0:
        world.control[0]["stop"] = STOP_VENUE + venue.ctl[0]["status"]
    refresh_due(world)


@kernel
def _send_answer(k, world):
    row = world.venue.answers[k]
    control = world.control[0]
    ts_ns = row["ts_ns"]
    count = 0 if row["kind"] == Kind.ACK else ts_ns
    exch_ts_ns = ts_ns - delay_ns(FEED_LEG, row["symbol"], row["order_id"], count, ts_ns, world.legs)
    due_ns = exch_ts_ns + delay_ns(ANSWER_LEG, row["symbol"], row["order_id"], count, ts_ns, world.legs)
    due_ns = max(due_ns, ts_ns, control["answer_last_ns"])
    control["answer_last_ns"] = due_ns
    slot = _push_answer(due_ns, row["kind"], k, exch_ts_ns, world)
    event = world.answers[slot]
    event["price"] = row["price"]
    event["qty"] = row["qty"]
    event["leaves_qty"] = row["leaves_qty"]
    event["flags"] = row["liquidity"]
    event["venue"] = row["venue"]
    if row["kind"] == Kind.PARTIAL or row["kind"] == Kind.FILL:
        _log_fill(row, world)
        slot = _push_answer(due_ns, Kind.COMMISSION, k, exch_ts_ns, world)
        world.answers[slot]["fee_micros"] = row["fee_micros"]


@kernel
def _push_answer(due_ns, kind, k, exch_ts_ns, world):
    """Reserve the next place of the answer ring and write what every answer carries; return the place."""
    control = world.control[0]
    if control["answer_count"] >= len(world.answers):
        control["stop"] = STOP_IN_FLIGHT
        control["answer_count"] -= 1
    row = world.venue.answers[k]
    slot = (control["answer_head"] + control["answer_count"]) % len(world.answers)
    control["answer_count"] += 1
    world.answer_rows[slot] = world.venue.answers[k]
    event = world.answers[slot]
    event["ts_ns"] = due_ns
    event["seq"] = 0
    event["exch_ts_ns"] = exch_ts_ns
    event["price"] = 0
    event["qty"] = 0
    event["leaves_qty"] = 0
    event["order_id"] = row["order_id"]
    event["symbol"] = row["symbol"]
    event["kind"] = kind
    event["venue"] = -1
    event["flags"] = 0
    return slot


@kernel
def _log_fill(row, world):
    desk = world.desk
    control = world.control[0]
    fill = world.log.fills[control["n_fills"]]
    control["n_fills"] += 1
    fill["decision_id"] = 0
    fill["mid2_at_decision"] = 0
    fill["latency_ns"] = 0
    slot = find_order(desk, row["symbol"], row["order_id"])
    if slot >= 0:
        order = desk.orders[row["symbol"], slot]
        fill["decision_id"] = order["decision_id"]
        fill["mid2_at_decision"] = order["mid2_at_decision"]
        fill["latency_ns"] = way_ns(OUTBOUND_LEG, row["symbol"], row["order_id"], 0, order["sent_ts_ns"], world.legs)
    fill["ts_ns"] = row["ts_ns"]
    fill["order_id"] = row["order_id"]
    fill["price"] = row["price"]
    fill["qty"] = row["qty"]
    fill["fee_micros"] = row["fee_micros"]
    fill["ahead_qty_before"] = row["ahead_qty_before"]
    fill["ahead_qty_after"] = row["ahead_qty_after"]
    fill["mid2_at_arrival"] = row["mid2_at_arrival"]
    book = desk.book[row["symbol"]]
    fill["mid2_at_fill"] = book["bid"] + book["ask"] if book["bid_qty"] > 0 and book["ask_qty"] > 0 else 0
    fill["source_seq"] = row["source_seq"]
    fill["symbol"] = row["symbol"]
    fill["side"] = row["side"]
    fill["liquidity"] = row["liquidity"]
    fill["venue"] = row["venue"]
    fill["rule"] = row["rule"]
    fill["evidence"] = row["evidence"]


@kernel
def take_answer(world):
    """Hand the oldest answer to the desk; return its place in the ring of answers."""
    control = world.control[0]
    head = control["answer_head"]
    clock = world.desk.clock[0]
    clock["now_ns"] = max(clock["now_ns"], world.answers[head]["ts_ns"])
    tell_desk(world.answers, head, world.answer_rows[head]["ahead_qty_after"], world.answer_rows[head]["reason"], world)
    control["answer_head"] = (head + 1) % len(world.answers)
    control["answer_count"] -= 1
    refresh_due(world)
    return head


@kernel
def tell_desk(events, i, ahead_qty, reason, world):
    """Apply an answer to the desk and write the order's new state into the log."""
    desk = world.desk
    event = events[i]
    kind = event["kind"]
    slot = find_order(desk, event["symbol"], event["order_id"])
    if kind == Kind.COMMISSION or slot < 0:
        apply_answer(events, i, desk)
        return
    control = world.control[0]
    world.desk.clock[0]["is_busy"] = 1
    row = world.log.orders[control["n_order_log"]]
    control["n_order_log"] += 1
    _log_terms(row, desk, event["symbol"], slot)
    apply_answer(events, i, desk)
    if kind == Kind.ACK:
        row["ack_ts_ns"] = event["ts_ns"]
    elif kind == Kind.PARTIAL or kind == Kind.FILL:
        row["filled_qty"] += event["qty"]
        row["leaves_qty"] = event["leaves_qty"]
    elif kind == Kind.MODIFIED:
        row["limit_price"] = event["price"]
        row["leaves_qty"] = event["leaves_qty"]
        row["qty"] = row["filled_qty"] + event["leaves_qty"]
    row["ts_ns"] = event["ts_ns"]
    row["ahead_qty_simulated"] = ahead_qty
    row["state"] = _state_after(kind, row["filled_qty"])
    row["reason"] = reason


@kernel
def _log_terms(row, desk, symbol, slot):
    order = desk.orders[symbol, slot]
    row["order_id"] = order["order_id"]
    row["parent_id"] = order["parent_id"]
    row["decision_id"] = order["decision_id"]
    row["limit_price"] = order["price"]
    row["qty"] = order["qty"]
    row["filled_qty"] = order["filled_qty"]
    row["leaves_qty"] = order["leaves_qty"]
    row["work_ns"] = order["work_ns"]
    row["ack_ts_ns"] = order["ack_ts_ns"]
    row["ahead_qty_simulated"] = -1
    row["ahead_qty_estimated"] = order["ahead_qty"]
    row["symbol"] = symbol
    row["side"] = order["side"]
    row["type"] = order["type"]
    row["tif"] = order["tif"]
    row["slice"] = order["slice"]


@kernel
def _state_after(kind, filled_qty):
    """Name the state that an answer of this kind brings an order to."""
    if kind == Kind.FILL:
        return State.FILLED
    if kind == Kind.PARTIAL:
        return State.PARTIAL
    if kind == Kind.CANCELLED:
        return State.CANCELLED
    if kind == Kind.REJECTED:
        return State.REJECTED
    if kind == Kind.EXPIRED:
        return State.EXPIRED
    if kind == Kind.HELD:
        return State.HELD
    return State.PARTIAL if filled_qty > 0 else State.WORKING


@kernel
def dispatch(world):
    """Log the outbox and send it on its way: into the arrival ring, or in live to the driver."""
    desk = world.desk
    clock = desk.clock[0]
    for k in range(clock["n_requests"]):
        _log_request(k, world)
        if world.control[0]["is_live"]:
            world.log.sent[world.control[0]["n_sent"]] = desk.requests[k]
            world.control[0]["n_sent"] += 1
        else:
            _push_arrival(k, world)
    clock["n_requests"] = 0
    refresh_due(world)


@kernel
def _log_request(k, world):
    request = world.desk.requests[k]
    slot = find_order(world.desk, request["symbol"], request["order_id"])
    if slot < 0:
        return
    control = world.control[0]
    row = world.log.orders[control["n_order_log"]]
    control["n_order_log"] += 1
    _log_terms(row, world.desk, request["symbol"], slot)
    row["ts_ns"] = request["ts_ns"]
    row["reason"] = request["reason"]
    if request["action"] == Action.NEW:
        row["state"] = State.SENT
    elif request["action"] == Action.CANCEL:
        row["state"] = State.CANCEL_SENT
    else:
        row["state"] = State.MODIFY_SENT
        row["limit_price"] = request["price"]
        row["qty"] = request["qty"]


@kernel
def _push_arrival(k, world):
    control = world.control[0]
    if control["arrival_count"] >= len(world.arrivals):
        control["stop"] = STOP_IN_FLIGHT
        return
    request = world.desk.requests[k]
    sent_ns = request["ts_ns"]
    leg = CANCEL_LEG if request["action"] == Action.CANCEL else OUTBOUND_LEG
    count = 0 if request["action"] == Action.NEW else sent_ns
    due_ns = sent_ns + way_ns(leg, request["symbol"], request["order_id"], count, sent_ns, world.legs)
    due_ns = max(due_ns, control["arrival_last_ns"])
    control["arrival_last_ns"] = due_ns
    slot = (control["arrival_head"] + control["arrival_count"]) % len(world.arrivals)
    control["arrival_count"] += 1
    world.arrivals[slot] = world.desk.requests[k]
    world.arrival_due_ns[slot] = due_ns


@kernel
def refresh_due(world):
    """Recompute the earliest thing due that is not a timer."""
    control = world.control[0]
    due_ns = world.venue.ctl[0]["next_expiry_ns"]
    if control["arrival_count"] > 0:
        due_ns = min(due_ns, world.arrival_due_ns[control["arrival_head"]])
    if control["answer_count"] > 0:
        due_ns = min(due_ns, world.answers[control["answer_head"]]["ts_ns"])
    control["other_due_ns"] = due_ns


@leaf
def mark(event, s, world):
    """Sample the touch of a symbol: the last one of every second in which it changed, with the time of that change."""
    touch = world.touches[s]
    if event["ts_ns"] >= touch["due_ns"]:
        write_mark(s, world)
    if event["bid"] != touch["bid"] or event["ask"] != touch["ask"]:
        touch["ts_ns"] = event["ts_ns"]
        touch["due_ns"] = (event["ts_ns"] // MARK_EVERY_NS + 1) * MARK_EVERY_NS
        touch["bid"] = event["bid"]
        touch["ask"] = event["ask"]


@kernel
def write_mark(s, world):
    """Log the touch that waits, where it differs from the one logged last."""
    touch = world.touches[s]
    touch["due_ns"] = NEVER
    if touch["bid"] == touch["marked_bid"] and touch["ask"] == touch["marked_ask"]:
        return
    touch["marked_bid"] = touch["bid"]
    touch["marked_ask"] = touch["ask"]
    control = world.control[0]
    row = world.log.marks[control["n_marks"]]
    row["ts_ns"] = touch["ts_ns"]
    row["bid"] = touch["bid"]
    row["ask"] = touch["ask"]
    row["symbol"] = s
    control["n_marks"] += 1
    world.desk.clock[0]["is_busy"] = 1


@kernel
def needs_flush(world):
    """Tell whether a log is so full that the next step might not fit."""
    control = world.control[0]
    world.desk.clock[0]["is_busy"] = 0
    log = world.log
    margin = len(world.venue.answers) + len(world.desk.requests)
    clock = world.desk.clock[0]
    n_symbols = len(world.desk.book)
    return (
        control["n_order_log"] > len(log.orders) - margin
        or control["n_fills"] > len(log.fills) - margin
        or control["n_marks"] >= len(log.marks) - 1
        or control["n_sent"] > len(log.sent) - len(world.desk.requests)
        or clock["n_decisions"] >= len(world.desk.decisions) - 2 * n_symbols
        or clock["n_cycles"] >= len(world.desk.cycles) - 1
    )
