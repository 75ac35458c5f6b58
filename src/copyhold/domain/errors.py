"""What can go wrong, in families by what the caller can do about it.

* CopyholdError
  + Refused               a rule said no: read the reasons, mend what they name
  + NotFoundError         no such thing, or not for your eyes
  + ConflictError         somebody was faster, or the thing is in another state
  + InvalidInputError     what you gave cannot be used: mend it and call again
    - UnreadableFileError   a file is not what it claims to be
  + IntegrityError        what we hold contradicts itself: stop and investigate
  + UnavailableError      a part of the outside world does not answer: try again later

Every message is one plain sentence or two: what, why, what to do. No message carries a cell of a table, a key
or a person's name. Exit codes and HTTP statuses live in the doors.
"""


class CopyholdError(Exception):
    """An error that a person is meant to read, told without a traceback."""

    code = "ERROR"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class NotFoundError(CopyholdError):
    """No such thing, or not for the eyes of who asks: the two are told alike."""

    code = "NOT_FOUND"


class ConflictError(CopyholdError):
    """Somebody was faster, or the thing is in a state from which this cannot be done."""

    code = "CONFLICT"


class InvalidInputError(CopyholdError):
    """What was given cannot be used; the message names the field or option."""

    code = "INVALID_INPUT"


class UnreadableFileError(InvalidInputError):
    """A file is truncated, hostile, of another kind than it claims, or larger than it may be."""

    code = "UNREADABLE_FILE"


class IntegrityError(CopyholdError):
    """What is held contradicts itself: a log, a manifest, a package or an instrument."""

    code = "INTEGRITY"


class UnavailableError(CopyholdError):
    """A part of the outside world does not answer."""

    code = "UNAVAILABLE"
