"""The image that a Dockerfile builds upon: what the last stage's FROM comes to, through arguments and earlier stages.

Source: the Dockerfile reference (docs.docker.com/reference/dockerfile), and BuildKit's frontend/dockerfile/{parser,shell}.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from abicheck.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_SIZE = 1 << 20
_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])\s*$", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*\w+\s*=")
_HEREDOC = re.compile(r"<<-?[\"']?(\w+)[\"']?")
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?\s*$", re.IGNORECASE)
_ARGUMENT = re.compile(r"(\w+)(?:=(.*))?$")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})")
#: What BuildKit knows without ARG, where the platform is this tool's default.
_AUTOMATIC = {"TARGETPLATFORM": "linux/amd64", "TARGETOS": "linux", "TARGETARCH": "amd64"}


def base_image(path: str) -> str:
    """The image that the last stage of the Dockerfile `path` starts from. Raises `HostError`."""
    if os.path.isdir(path):
        path = os.path.join(path, "Dockerfile")
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(_MAX_SIZE)
    except OSError as error:
        raise HostError(f"{error.strerror}: {path}; give the path of a Dockerfile") from None
    arguments: dict[str, str] = dict(_AUTOMATIC)
    stages: dict[str, str] = {}
    base = None
    for line, instruction, rest in _instructions(text):
        if instruction == "FROM":
            found = _FROM.match(rest)
            if found is None:
                raise HostError(f"line {line}: FROM {rest} names no image; write FROM IMAGE [AS STAGE]")
            reference = _expanded(found[1], arguments, line)
            base = stages.get(reference.lower(), reference)
            if found[2] is not None:
                stages[found[2].lower()] = base
        elif instruction == "ARG" and base is None:
            for word in _words(rest):
                argument = _ARGUMENT.match(word)
                if argument is not None and argument[2] is not None:
                    arguments[argument[1]] = _expanded(argument[2], arguments, line)
    if base is None:
        raise HostError("it has no FROM; give a Dockerfile")
    if base == "scratch":
        raise HostError("it starts from scratch, which has no C library; build the image, save it, and give image:FILE")
    return base


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """The instructions with the number of their first line; comments, here-documents and continuations are dealt with."""
    lines = text.splitlines()
    escape = "\\"
    for line in lines:
        if not _DIRECTIVE.match(line):
            break
        escape = found[1] if (found := _ESCAPE.match(line)) else escape
    numbered = iter(enumerate(lines, 1))
    for number, first in numbered:
        line = first.strip()
        if not line or line.startswith("#"):
            continue
        while line.endswith(escape):
            line = line[:-1]
            for _, more in numbered:
                if more.strip() and not more.lstrip().startswith("#"):
                    line += more.strip()
                    break
            else:
                break
        instruction, _, rest = line.partition(" ")
        yield number, instruction.upper(), rest.strip()
        if instruction.upper() in ("RUN", "COPY", "ADD"):
            for end in _HEREDOC.findall(rest):
                for _, more in numbered:
                    if more.strip("\t") == end:
                        break


def _words(text: str) -> list[str]:
    return [word.replace('"', "").replace("'", "") for word in re.findall(r"(?:\"[^\"]*\"|'[^']*'|\S)+", text)]


def _expanded(text: str, arguments: Mapping[str, str], line: int) -> str:
    """`text` with the values of arguments. Raises `HostError` for one that has none: whoever builds gives it."""

    def value(match: re.Match[str]) -> str:
        name, operator, word = match[1] or match[2], match[3], match[4] or ""
        given = arguments.get(name)
        if operator is not None and operator.endswith("+"):
            return word if given else ""
        if given is None or (not given and operator == ":-"):
            if operator is None:
                raise HostError(f"line {line}: the argument {name} has no default; write ARG {name}=VALUE before the first FROM")
            return word
        return given

    return _VARIABLE.sub(value, text.strip("\"'"))
