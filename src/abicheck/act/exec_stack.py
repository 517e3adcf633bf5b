"""Takes the wish for an executable stack out of a shared object: one bit of PT_GNU_STACK."""

from __future__ import annotations

from abicheck.act.repair.edits import replacing
from abicheck.act.repair.objects import repair_object
from abicheck.errors import TargetError


def clear_exec_stack(path: str) -> bool:
    """Clear PF_X in PT_GNU_STACK of the file at `path`; true if it was set. Other links to the file keep what they had.

    A file without PT_GNU_STACK asks for an executable stack, too, and has no bit that could be cleared: it is left as it is.
    """
    with open(path, "rb") as file:
        content = bytearray(file.read())
    try:
        changes = repair_object(content, path, None)
    except TargetError:
        return False
    if changes:
        with replacing(path) as file:
            file.write(content)
    return bool(changes)
