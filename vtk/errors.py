"""Errors that a user can mend, each with a stable code, and the exit codes of the command line."""

from __future__ import annotations

EXIT_OK = 0
EXIT_PARTIAL = 1
EXIT_USAGE = 2
EXIT_NOTHING = 3
EXIT_INTERRUPT = 130
EXIT_PIPE = 141


class VtkError(Exception):
    """Something that the user can mend: what was wrong, what was found, what to do, in one line.

    Attributes:
        code: stable identifier such as ``E_DECODE``; it stands in ``error`` records.
        exit_code: what the process exits with when nothing handles the error.
    """

    code = "E_VTK"
    exit_code = EXIT_PARTIAL

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(" ".join(message.split("\n")))
        if code is not None:
            self.code = code


class UsageError(VtkError):
    """The command line asks for something that cannot be done."""

    code = "E_USAGE"
    exit_code = EXIT_USAGE


class MediaError(VtkError):
    """A source cannot be opened, decoded or written (E_OPEN, E_DECODE, E_EMPTY, E_ENCODE, E_TIMEOUT)."""

    code = "E_DECODE"


class RecordError(VtkError):
    """A line on stdin is not a usable record (E_JSON, E_RECORD, E_ORDER, E_VERSION, E_FRAME)."""

    code = "E_RECORD"


class WeightsError(VtkError):
    """Weights cannot be found, fetched, verified or loaded (E_WEIGHTS, E_HASH, E_OFFLINE)."""

    code = "E_WEIGHTS"
    exit_code = EXIT_USAGE
