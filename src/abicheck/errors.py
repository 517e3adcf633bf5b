"""What abicheck raises: one base; each type owns an exit code, and its message says the next step."""

from __future__ import annotations


class AbicheckError(Exception):
    """abicheck could not do its work, or a part of it. The message is one line and ends with what to do next."""

    exit_code = 4

    def __init__(self, message: str, subject: str = "") -> None:
        super().__init__(message, subject)
        self.message = message
        self.subject = subject

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}" if self.subject else self.message


class UsageError(AbicheckError):
    """What was asked makes no sense: an unknown host, a setting that no loader reads."""

    exit_code = 2


class HostError(AbicheckError):
    """A host cannot be read: no such directory, no loader in it, not the Python that was asked for."""


class TargetError(AbicheckError):
    """A target cannot be judged: it is not there, it is a directory, it may not be read."""


class DataError(AbicheckError):
    """A data file that ships with abicheck is damaged: the subject is its name, the message begins with the path of the key."""


class PackageIndexError(AbicheckError):
    """The package index gave no answer: no network, no access, no pip, or `--offline` and nothing stored."""


class UnreachableIndexError(PackageIndexError):
    """No index answers at all, so that nothing more need be asked."""


class EngineError(AbicheckError):
    """The container engine did not do its part: not installed, not running, no permission, no space, a build that failed."""
