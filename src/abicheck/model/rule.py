"""The page of a rule: what it means, why it fails, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from abicheck.model.report import Severity


class PageRemedy(NamedTuple):
    """What to do, as a template: it is given only where all of its fields are known.

    `where` names a further field that must be known, `without` one that must not.
    """

    kind: str
    text: str
    command: str | None = None
    where: str | None = None
    without: str | None = None


class Page(NamedTuple):
    """One rule, as `judge/rules/NAME.toml` or, for sources, `lint/rules/NAME.toml` has it.

    `summary` says in one sentence what is wrong, `why` what goes on there, `meaning` what follows for the user. `message` are the
    sentences of a finding: templates, of which those with unknown fields are left out (the first one always holds). `remedies`
    stand in order, the most useful first. `sources` are where the knowledge is from. `patterns` are regular expressions that find
    the rule in a loader's or interpreter's text, `matching` and `other` texts that one of them must and none may find.
    Only a rule for sources has `example`, C++, HTML or JavaScript that breaks it, and `fix`, the same without the fault.
    """

    name: str
    severity: Severity
    summary: str
    why: str
    meaning: str
    message: tuple[str, ...]
    remedies: tuple[PageRemedy, ...]
    sources: tuple[str, ...]
    patterns: tuple[str, ...] = ()
    matching: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    example: str = ""
    fix: str = ""
