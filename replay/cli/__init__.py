"""The command line, one file per family of commands.

- `app`: the table of commands, `main`, and what becomes of an error
- `run`: run, demo, verify, explain
- `sessions`: import, synth, info, check
- `house`: init, config, doctor
- `options`, `output`, `progress`: what they share: arguments, printing, the progress bar

Everything heavy is imported inside the commands, so that `replay --help` answers at once.
"""

from replay.cli.app import main

__all__ = ["main"]
