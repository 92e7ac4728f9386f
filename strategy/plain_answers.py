"""What the broker says about an order, held against the order: an answer that cannot be true stops here and moves no position.

PARTIAL says that a part was filled and the rest works on; FILL says that all that was left is filled and the order is over.
"""

from typing import NamedTuple

from replay.desk import Desk, find_order
from replay.errors import UnknownNameError, UsageError
from replay.events import Kind
from replay.orders import OrderType, State
from strategy.border import Names, check_counts, check_price, check_whole
from strategy.requests import Request

_IN_FLUX = (State.MODIFY_SENT, State.CANCEL_SENT)  # the broker may hold other terms than the desk knows yet


class Answer(NamedTuple):
    """An answer in plain numbers; `leaves_qty` None = not told."""

    kind: Kind
    order_id: int
    price_usd: float
    qty: int
    leaves_qty: int | None


class AnswerCheck:
    """Knows what was asked of the broker, and so which answers can be true.

    Parameters
    ----------
    names : Names
    desk : Desk
    """

    def __init__(self, names: Names, desk: Desk) -> None:
        self._names, self._desk = names, desk
        self._asked_qty: dict[int, int] = {}  # the most that a living order was ever asked to be

    def note(self, requests: list[Request]) -> list[Request]:
        """Remember how large the orders may become; return the requests."""
        for request in requests:
            self._asked_qty[request.order_id] = max(request.qty, self._asked_qty.get(request.order_id, 0))
        return requests

    def leaves_of(self, s: int, answer: Answer) -> int:
        """Return the shares left after an answer; refuse one that cannot be true.

        Raises
        ------
        UnknownNameError
            For an order that was never asked for, or one of another symbol.
        UsageError
            For a fill without its shares or price, of more than is left, after the end; a FILL that leaves something.
        """
        check_counts(order_id=answer.order_id, leaves_qty=answer.leaves_qty or 0)
        if answer.kind == Kind.CORRECTION:
            check_whole(qty=answer.qty)
            check_price(answer.price_usd)
            return answer.leaves_qty or 0
        self._check_symbol(s, answer)
        slot = find_order(self._desk, s, answer.order_id)
        if answer.kind in (Kind.PARTIAL, Kind.FILL):
            return self._left_after(s, slot, answer)
        if answer.kind == Kind.MODIFIED and slot >= 0:
            self._check_modified(self._desk.orders[s, slot], answer)
        if answer.kind in (Kind.CANCELLED, Kind.REJECTED, Kind.EXPIRED):
            self._asked_qty.pop(answer.order_id, None)
        return answer.leaves_qty or 0

    def _check_symbol(self, s: int, answer: Answer) -> None:
        desk, number = self._desk, answer.order_id
        if not 0 < number < desk.clock[0]["next_order_id"]:
            raise UnknownNameError(
                f"no order {number} was asked for; answers carry the `order_id` of the request (shares from elsewhere: "
                f'"CORRECTION" with signed `qty`)'
            )
        for other, name in enumerate(self._names.symbols):
            if other != s and find_order(desk, other, number) >= 0:
                raise UnknownNameError(f"order {number} is of {name!r}, not of {self._names.symbols[s]!r}")

    def _left_after(self, s: int, slot: int, answer: Answer) -> int:
        word, number = answer.kind.name, answer.order_id
        check_whole(qty=answer.qty)
        if answer.qty < 1:
            raise UsageError(f"{word} of order {number} needs the shares of this fill, `qty` of 1 or more, got {answer.qty}")
        check_price(answer.price_usd)
        if slot < 0:
            raise UsageError(
                f'{word} of order {number}, which is over; drop a repeated answer, say a real late fill as "CORRECTION" with '
                f"signed `qty`"
            )
        order = self._desk.orders[s, slot]
        is_in_flux = order["state"] in _IN_FLUX
        most = int(order["leaves_qty"])
        if is_in_flux:
            most = max(most, self._asked_qty.get(number, 0) - int(order["filled_qty"]))
        if answer.qty > most:
            raise UsageError(
                f"{word} of {answer.qty} shares of order {number}, of which {most} are left; `qty` is of this fill alone"
            )
        left = max(int(order["leaves_qty"]) - answer.qty, 0)
        if not is_in_flux:
            _check_rest(answer, left)
        if answer.kind == Kind.FILL:
            self._asked_qty.pop(number, None)
        return left if answer.leaves_qty is None else answer.leaves_qty

    def _check_modified(self, order: object, answer: Answer) -> None:
        if not answer.leaves_qty:
            raise UsageError(
                f"MODIFIED of order {answer.order_id} needs its new `leaves_qty`, 1 or more, got {answer.leaves_qty}"
            )
        if order["type"] == OrderType.LIMIT:  # type: ignore[index]
            check_price(answer.price_usd)


def _check_rest(answer: Answer, left: int) -> None:
    """Refuse a FILL that is a part, a PARTIAL that is all, and a rest that does not add up."""
    number, qty = answer.order_id, answer.qty
    if answer.kind == Kind.FILL and (left > 0 or answer.leaves_qty):
        raise UsageError(
            f'FILL ends order {number}, but {qty} shares leave {left}; say "PARTIAL" while it works on, "CANCELLED" at its end'
        )
    if answer.kind == Kind.PARTIAL and left == 0:
        raise UsageError(f'PARTIAL of order {number} with {qty} shares is all that was left; say "FILL"')
    if answer.leaves_qty is not None and answer.leaves_qty != left:
        raise UsageError(
            f"order {number} has {left} shares left after {qty}, but `leaves_qty` is {answer.leaves_qty}; hand in the answer "
            f"that is missing, or leave `leaves_qty` out"
        )
