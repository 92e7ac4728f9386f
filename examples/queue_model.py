"""An own queue model: three small functions, compiled into the simulated exchange.

    replay run data/sample --set venue.queue=examples/queue_model.py:patient
    python examples/queue_model.py

Who came last leaves first: a fall of the display comes from behind us as far as anybody stands there; but while we are new to the
queue, half of that comes from ahead. The exchange asks nothing else of a model, and cuts every answer to what is possible.
"""

from fills import bind_queue_model, check_queue_model

YOUNG_NS = 1_000_000_000


def on_level_change(ahead_qty, drop_qty, new_qty, age_ns, spread_ticks, other_qty, quiet_ns):  # noqa: ARG001  the contract's names
    """Return what is ahead after the display fell to `new_qty`."""
    behind_qty = max(new_qty + drop_qty - ahead_qty, 0)
    from_ahead_qty = max(drop_qty - behind_qty, 0)
    if age_ns < YOUNG_NS:
        from_ahead_qty += (drop_qty - from_ahead_qty) // 2
    return max(min(ahead_qty - from_ahead_qty, new_qty), 0)


patient = bind_queue_model(on_level_change=on_level_change)

if __name__ == "__main__":
    check_queue_model(patient)
    print("the model keeps the contract")  # noqa: T201
