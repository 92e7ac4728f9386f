"""Typed errors: each one is a sentence that says what is wrong, where, what was expected and what to do.

The command line prints the sentence and leaves with `exit_code`; nothing else about an error is part of the interface.
"""


class ReplayError(Exception):
    """Root of all errors that a user can cause or mend."""

    exit_code = 2


class UsageError(ReplayError):
    """A command, an argument or a call that cannot be meant."""


class UnknownNameError(UsageError, KeyError):
    """A symbol, horizon or other name that the thing asked was not made for."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError would show its sentence in quotes


class ConfigError(ReplayError):
    """A configuration with an unknown key or an impossible value."""


class DataError(ReplayError):
    """Recorded data that cannot be right: the message names file, row or key."""

    exit_code = 3


class CapacityError(ReplayError):
    """A stated limit was reached; the message names the setting that raises it."""

    exit_code = 2


class VerificationError(ReplayError):
    """The thing checked did not hold."""

    exit_code = 1


class ExternalError(ReplayError):
    """Another system (a broker, a disk, a library) failed."""

    exit_code = 4
