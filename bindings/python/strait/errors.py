"""Exceptions of Strait: one class for each status of the library, all of them a StraitError.

The message is the library's: one line that says where, what was wanted and what was found.
"""


class StraitError(Exception):
    """Base of all errors that the library reports; catch this one to catch them all.

    status: the library's short name of the reason, for example "truncated".
    """

    status = "internal error"


class InvalidArgumentError(StraitError, ValueError):
    """An argument is out of its documented range."""

    status = "invalid argument"


class TruncatedError(StraitError, ValueError):
    """The bytes end before the format says they may."""

    status = "truncated"


class CorruptError(StraitError, ValueError):
    """The bytes contradict the format, their checksum or themselves."""

    status = "corrupt"


class UnsupportedError(StraitError, ValueError):
    """Sound, but of a version, element type, memory layout or shape that this build does not handle."""

    status = "unsupported"


class LimitExceededError(StraitError, ValueError):
    """Would pass a limit set by the caller: Limits or max_bytes."""

    status = "limit exceeded"


class ModelMismatchError(StraitError, ValueError):
    """The frame was made with another model."""

    status = "model mismatch"


class FileError(StraitError, OSError):
    """The operating system refused a read."""

    status = "i/o error"


class InternalError(StraitError, RuntimeError):
    """A bug of Strait or of a library under it; please report it."""

    status = "internal error"


BY_STATUS = {
    error.status: error
    for error in (
        InvalidArgumentError,
        TruncatedError,
        CorruptError,
        UnsupportedError,
        LimitExceededError,
        ModelMismatchError,
        FileError,
        InternalError,
    )
}
