"""The texts that errno values have in the loader's messages."""

from __future__ import annotations

#: strerror of the C locale (glibc and musl agree on these).
_TEXTS = {
    1: "Operation not permitted",
    2: "No such file or directory",
    5: "Input/output error",
    8: "Exec format error",
    11: "Resource temporarily unavailable",
    12: "Out of memory",
    13: "Permission denied",
    16: "Resource busy",
    20: "Not a directory",
    21: "Is a directory",
    22: "Invalid argument",
    23: "Too many open files in system",
    24: "Too many open files",
    26: "Text file busy",
    36: "File name too long",
    40: "Too many levels of symbolic links",
    75: "Value too large for defined data type",
}
_GLIBC_TEXTS = {12: "Cannot allocate memory", 16: "Device or resource busy", 40: "Too many levels of symbolic links"}


def strerror(errno: int, *, musl: bool = False) -> str:
    """The text of `errno` in the C locale."""
    if musl:
        return {36: "Filename too long", 40: "Symbolic link loop"}.get(errno) or _TEXTS.get(errno, "No error information")
    return _GLIBC_TEXTS.get(errno) or _TEXTS.get(errno, f"Unknown error {errno}")


def with_errno(text: str, errno: int) -> str:
    """`text: strerror` as dlerror writes it; `text` alone where errno is 0 (dlfcn/dlerror.c)."""
    return f"{text}: {strerror(errno)}" if errno else text
