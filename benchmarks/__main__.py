"""Run benchmarks by name, or all: `python -m benchmarks [NAME ...]`."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.measure import CannotRunError, Figure, table

# Memory comes first: a child process inherits the peak of its parent.
NAMES = (
    "memory", "shadow_orders", "start", "fills_only", "pipeline", "limits", "beside_hftbacktest", "python_strategy",
    "fill_models", "gate", "arbiter", "verification", "checklist", "faults", "forms",
)  # fmt: skip


def main(names: list[str]) -> int:
    """Run benchmarks and print their figures; return 1 where a target was missed."""
    strangers = [name for name in names if name not in NAMES]
    if strangers:
        print(f"unknown benchmark {', '.join(strangers)}; known are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in names or NAMES:
        try:
            figures += import_module(f"benchmarks.{name}").main()
        except CannotRunError as error:
            print(f"{name} cannot run: {error}")
    print(table(figures))
    return int(any(figure.is_ok is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
