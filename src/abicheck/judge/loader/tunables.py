"""GLIBC_TUNABLES, as far as a tunable decides whether an object loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abicheck.model.host import Host


def tunable(host: Host, name: str, default: int, bounds: tuple[int, int]) -> int:
    """The value of the tunable `name`, or `default` where it is not set or out of `bounds` (elf/dl-tunables.c).

    The last setting counts. glibc takes decimal, octal (0…) and hexadecimal (0x…) numbers.
    """
    value = default
    if host.loader.tunables is not None and name not in host.loader.tunables:
        return default
    for setting in host.environment.get("GLIBC_TUNABLES", "").split(":"):
        key, separator, text = setting.partition("=")
        if key != name or not separator:
            continue
        try:
            number = int(text, 8) if text.startswith("0") and text.isdigit() else int(text, 0)
        except ValueError:
            continue
        if bounds[0] <= number <= bounds[1]:
            value = number
    return value
