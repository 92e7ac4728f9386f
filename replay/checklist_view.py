"""How the six checks read: title, figure with its unit, what the check looks at, and what to do; for terminal and report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from replay.wording import count

if TYPE_CHECKING:
    from rich.console import Group

NOTHING_JUDGED = "Nothing to judge: the checks look at decisions of the pipeline, and this run has none."
_STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red"}


class CheckWords(NamedTuple):
    """How one check reads."""

    title: str
    unit: str
    counted: str
    meaning: str


CHECKS = {
    "conformal_coverage": CheckWords(
        "interval coverage", "%", "eff. outcomes", "Outcomes that fell inside the interval issued for them; it promises 80 %."
    ),
    "selector_adapts": CheckWords(
        "weights adapt", "t", "blocks", "Whether moving weights between horizons earned more than their mean would have."
    ),
    "execution_sla": CheckWords("plans end in time", "%", "plans", "Plans of orders that ended within their working time."),
    "churn": CheckWords("churn", "%", "targets", "Turnover that came from moves smaller than the no-trade band."),
    "component_errors": CheckWords("component errors", "%", "decisions", "Decisions with a component in error, or held back."),
    "weights_normal": CheckWords("weights sum to one", "%", "cycles", "Cycles in which the weights of the horizons sum to one."),
}


class CheckLine(NamedTuple):
    """One check, ready to be shown."""

    status: str
    code: str
    title: str
    value: str
    target: str
    judged_on: str
    meaning: str
    action: str


def check_lines(checks: Sequence[Mapping[str, Any]]) -> list[CheckLine]:
    """Write checks for people; a check without words keeps its name."""
    return [_line(check) for check in checks]


def is_judged(checks: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether any check had something to look at."""
    return any(check["status"] != "NOT_ENOUGH_DATA" or check["n_eff"] for check in checks)


def render(verification: Mapping[str, Any]) -> Group:
    """Lay the checks out for a terminal of 80 columns."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    checks = verification["checks"]
    if not is_judged(checks):
        return Group(Text(), Text(" Verification", style="bold"), Padding(Text(NOTHING_JUDGED), (0, 1)), Text())
    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 1))
    for head, justify in (("Verification", "left"), ("", "left"), ("value", "right"), ("target", "left"), ("judged on", "left")):
        table.add_column(head, justify=justify)  # type: ignore[arg-type]
    notes = []
    for line in check_lines(checks):
        style = _STYLES.get(line.status, "dim")
        table.add_row(Text(line.status, style=style), line.title, line.value, line.target, line.judged_on)
        if line.status != "pass":
            notes.append(Padding(Text(f"{line.title}: {line.meaning} {line.action}", style=style), (0, 1)))
    return Group(Text(), table, *notes, Text())


def _line(check: Mapping[str, Any]) -> CheckLine:
    name = str(check["name"])
    words = CHECKS.get(name) or CheckWords(name.replace("_", " "), "", "", "")
    value = "-" if check["value"] is None else _figure(check["value"], words.unit)
    judged_on = f"{count(check['n_eff'])} {words.counted}".strip()
    action = str(check["recommendation"])
    status = str(check["status"]).replace("_", " ").lower()
    verb = "Not judged: " if status == "not enough data" else "What to do: "
    told = f"{verb}{action}." if action else ""
    return CheckLine(status, name, words.title, value, str(check["target"]), judged_on, words.meaning, told)


def _figure(value: float, unit: str) -> str:
    return f"{value:.1f} %" if unit == "%" else f"{unit} = {value:.2f}" if unit == "t" else f"{value:.4g}"
