"""The texts that errno values have in the loader's messages."""

from __future__ import annotations

#: What glibc and musl agree on.
_TEXTS = {
    1: "Operation not permitted",
    2: "No such file or directory",
    8: "Exec format error",
    11: "Resource temporarily unavailable",
    13: "Permission denied",
    20: "Not a directory",
    21: "Is a directory",
    22: "Invalid argument",
    23: "Too many open files in system",
    26: "Text file busy",
}
_GLIBC_TEXTS = {
    5: "Input/output error",
    12: "Cannot allocate memory",
    16: "Device or resource busy",
    24: "Too many open files",
    36: "File name too long",
    40: "Too many levels of symbolic links",
    75: "Value too large for defined data type",
}
_MUSL_TEXTS = {
    5: "I/O error",
    12: "Out of memory",
    16: "Resource busy",
    24: "No file descriptors available",
    36: "Filename too long",
    40: "Symbolic link loop",
    75: "Value too large for data type",
}


def strerror(errno: int, *, musl: bool = False) -> str:
    """The text of `errno` in the C locale."""
    special, other = (_MUSL_TEXTS, "No error information") if musl else (_GLIBC_TEXTS, f"Unknown error {errno}")
    return special.get(errno) or _TEXTS.get(errno, other)


def with_errno(text: str, errno: int) -> str:
    """`text: strerror` as dlerror writes it; `text` alone where errno is 0 (dlfcn/dlerror.c)."""
    return f"{text}: {strerror(errno)}" if errno else text
