"""Asks the probe in some place what really happens, and reads its answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from abicheck.act.confirm.bytecode import keep
from abicheck.model.confirm import Heard, Observed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.act.confirm.bytecode import Bytecode
    from abicheck.model.confirm import Speech

PROBE = os.path.join(os.path.dirname(__file__), "probe.py")
#: What starting a Python and ending it may take beyond the time of the cell, in seconds.
GRACE = 30.0


class Ended(NamedTuple):
    """How a program ended: `status` as from a shell (128+N for a signal), None where time ran out; `seconds` of wall time."""

    status: int | None
    stdout: str
    stderr: str
    seconds: float


class Place(Protocol):
    """Where the probe runs. `launcher` is the command of a Python that only the probe's child runs on, empty for its own."""

    launcher: tuple[str, ...]

    def inside(self, path: str) -> str:
        """The path there of a file of this machine."""

    def run(self, argv: Sequence[str], seconds: float) -> Ended:
        """Run a program there for at most `seconds`. Raises `AbicheckError` when the place itself fails."""

    def by_hand(self, argv: Sequence[str], path: Sequence[str], settings: Mapping[str, str]) -> str:
        """A command for a shell that runs a Python there with `argv`, and with `path` for its modules."""


class Ask(NamedTuple):
    """What the probe is to do; paths are those of this machine, but for `python` and `open`.

    `isolated` leaves out the Python's own site-packages. `settings` are set in the environment of the process that is observed.
    `bytecode` is read if it is there, and made if not.
    """

    python: str
    path: tuple[str, ...]
    imports: tuple[str, ...]
    open: tuple[str, ...] = ()
    speech: Speech | None = None
    isolated: bool = False
    settings: tuple[tuple[str, str], ...] = ()
    seconds: float = 120.0
    bytecode: Bytecode | None = None


def run_here(argv: Sequence[str], seconds: float) -> Ended:
    """Run a program of this machine; at the end of time, or of patience (Ctrl-C), it is killed with all that it started."""
    started = time.monotonic()
    with subprocess.Popen(  # noqa: S603 -- running a program is what this is for
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=seconds)
            status: int | None = process.returncode if process.returncode >= 0 else 128 - process.returncode
        except subprocess.TimeoutExpired:
            kill(process)
            out, err = process.communicate()
            status = None
        except BaseException:
            kill(process)
            raise
    return Ended(status, out, err, time.monotonic() - started)


def kill(process: subprocess.Popen[Any]) -> None:
    """End a process that leads a session of its own, with all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()


def command(place: Place, ask: Ask) -> list[str]:
    """The command that runs the probe in a place."""
    speech = None
    if ask.speech is not None:
        model = ask.speech.model
        speech = {
            "model": place.inside(model) if os.path.isdir(model) else model,
            "clips": [place.inside(clip.audio) for clip in ask.speech.clips],
            "threads": ask.speech.threads,
            "repeat": ask.speech.repeat,
        }
    bytecode = place.inside(ask.bytecode.path) if ask.bytecode and ask.bytecode.made else None
    request = {
        "path": list(map(place.inside, ask.path)),
        "imports": ask.imports,
        "open": ask.open,
        "speech": speech,
        "isolated": ask.isolated,
        "launcher": place.launcher,
        "environ": dict(ask.settings),
        "seconds": ask.seconds,
        "bytecode": bytecode,
        "pack": ask.bytecode is not None and bytecode is None,
    }
    flags = ["-I", "-S"] if ask.isolated else []
    if bytecode is not None and not place.launcher:
        flags += ["-X", f"pycache_prefix={bytecode}"]
    return [ask.python, *flags, place.inside(PROBE), json.dumps(request)]


def observe(place: Place, ask: Ask) -> Observed:
    """Do it for real. Crashes, hangs and exceptions of what is observed are observations; only the place's own failures raise."""
    ended = place.run(command(place, ask), ask.seconds + GRACE)
    try:
        answer = json.loads(ended.stdout)
        observed = understand(answer, ask)
        packed = answer.get("bytecode")
    except (ValueError, LookupError, TypeError):
        # No Python came so far as to run the probe, or its supervisor was killed (for memory, say).
        said = (ended.stderr.strip().splitlines() or [""])[-1]
        text = end_of(
            None if ended.status is None else -(ended.status - 128) if ended.status > 128 else ended.status, ask.seconds
        )
        return Observed("fails", f"{text}: {said}" if said else text, seconds=ended.seconds, output=ended.stderr[-4000:])
    if ask.bytecode is not None and packed is not None:
        keep(ask.bytecode, packed)
    return observed


def understand(answer: Mapping[str, Any], ask: Ask) -> Observed:
    """Read the probe's answer; raises LookupError or TypeError for what is none."""
    events = answer["events"]
    extensions = tuple((event["path"], event["text"]) for event in events if event["kind"] == "extension")
    error = next((event["text"] for event in events if event["kind"] == "error"), None)
    ended_well = answer["status"] == 0 and any(event["kind"] == "end" for event in events)
    text = None
    if not ended_well:
        text = end_of(answer["status"], ask.seconds)
    elif error is not None:
        said = [each for _, each in extensions if each is not None and each in error]
        text = said[0] if said else error
    return Observed(
        verdict="loads" if text is None else "fails",
        text=text,
        heard=_heard(events, ask),
        seconds=answer["seconds"],
        extensions=extensions,
        output=answer["output"] if text is not None else "",
    )


def end_of(status: int | None, seconds: float) -> str:
    """How a process ended that did not end well: `status` as in `Popen.returncode`, None where the `seconds` ran out."""
    if status is None:
        return f"no end after {seconds:g} s"
    if status >= 0:
        return f"exit {status}"
    try:
        return f"signal: {signal.Signals(-status).name}"
    except ValueError:
        return f"signal: {-status}"


def _heard(events: Sequence[Mapping[str, Any]], ask: Ask) -> tuple[Heard, ...]:
    """For each clip the text that it gave first, and other texts that it gave later."""
    if ask.speech is None:
        return ()
    texts: dict[int, list[str]] = {}
    for event in events:
        if event["kind"] == "heard":
            texts.setdefault(event["clip"], []).append(event["text"])
    heard = []
    for number, clip in enumerate(ask.speech.clips):
        said = texts.get(number, [])
        others = tuple(dict.fromkeys(each for each in said[1:] if each != said[0]))
        heard.append(Heard(os.path.basename(clip.audio), clip.expected, said[0] if said else None, others))
    return tuple(heard)
