"""Lines of a report for a reader, plain or in colour, in which foreign text can do no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: No line that is made of short pieces is longer.
WIDTH = 100


class Line(NamedTuple):
    """One line: a few first characters in a style of their own, the rest, and whatever follows, each piece with its style."""

    text: str = ""
    head: str = ""
    style: str = ""
    more: tuple[tuple[str, str], ...] = ()


def join(lines: Sequence[Line], *, colour: bool) -> str:
    """The lines as text; with `colour` for a terminal that has it."""
    if colour:
        return _styled(lines)
    return "".join(f"{line.head}{line.text}{''.join(text for text, _ in line.more)}\n" for line in lines)


def listed(what: str, names: Sequence[str], between: str = ", ") -> Iterator[Line]:
    """Foreign texts, as many in a line as it holds; short ones are not broken."""
    from textwrap import wrap  # noqa: PLC0415 -- only where there is something to fold

    if names:
        whole = (name.replace(" ", "\xa0") if len(name) < WIDTH // 2 else name for name in map(escape, names))
        text = what + between.join(whole)
        lines = wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        yield from (Line(line.replace("\xa0", " ")) for line in lines)


def _styled(lines: Sequence[Line]) -> str:
    """The lines with rich's styles. They are never parsed as markup and never wrapped: a loader's text is to be copied."""
    import io  # noqa: PLC0415 -- rich is for terminals only, and takes longer to import than most checks take

    from rich.console import Console  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above

    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", legacy_windows=False)
    for line in lines:
        console.print(Text.assemble((line.head, line.style), line.text, *line.more), soft_wrap=True, highlight=False)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def escape(text: str) -> str:
    """Foreign text with everything that a terminal would act on, and what cannot be encoded, written as an escape."""
    return text if text.isprintable() else "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8 (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def count(number: int, noun: str) -> str:
    """As in `1 error` and `1,200 errors`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
