"""`python -m tests.truth.musl`: compares what abicheck predicts with what musl's own loader says, in dlopen and with --list.

With `--built-in` it predicts for the built-in Alpine that has the musl of a root.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from abicheck.judge.loader import Memo, dlopen, musl, start
from abicheck.model.host import Interpreter
from abicheck.read.files import Root, View
from abicheck.read.hosts import open_host
from containers.make_root import Recipe, RootError, cache_dir, make_root
from tests.truth.compare import Pair, differences, table
from tests.truth.corpus import Subject, corpus, stratified
from tests.truth.musl_cases import ALPINE, make_cases
from tests.truth.oracle import Observation, OracleError, Phase, require
from tests.truth.roots import MOUNT_POINT, Host
from tests.truth.roots import SETTINGS as GLIBC_SETTINGS
from tests.truth.wheels import WheelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SUITES = {"musl-1.2.2": "bullseye", "musl-1.2.3": "bookworm", "musl-1.2.5": "trixie", "musl-1.2.6": "forky"}
ROLLING = ("forky",)
#: Nothing; glibc's own libraries, as one who has only manylinux wheels might lend them to musl; every odd spelling of a path.
SETTINGS: dict[str, Mapping[str, str]] = {
    "": {},
    "+runtime": {"LD_LIBRARY_PATH": "/usr/lib/x86_64-linux-gnu"},
    "+library-path": GLIBC_SETTINGS["library-path"][0],
}
MODES = ("open", "list")
#: By the beginning of a root's name the release of Alpine that has its musl.
BUILT_IN = {"musl-1.2.3": "alpine:3.17", "musl-1.2.5": "alpine:3.22"}
#: The facts of a damaged object say what glibc would find in it; musl finds another thing in some. These shares must agree.
DAMAGED_VERDICTS, DAMAGED_TEXTS = 0.97, 0.85
SOURCE = Path(__file__).with_name("musl_probe.c")
PROBE = "/usr/bin/musl-probe"
LOADER = "/lib/ld-musl-x86_64.so.1"
#: So many objects are asked of each host in each mode, unless all are.
SOME = 60
#: So many objects are asked about at once: a listing may be long.
CHUNK = 100
#: Everything happens in a mount namespace of its own; the loader's variables are set only in the root.
ENTER = f"""
mount --bind -o ro "$2" "$1{MOUNT_POINT}" && mount -t proc proc "$1/proc" && ulimit -c 0 && exec "$3" -I -S -c "$4" "$@"
"""
LAUNCH = """
import os, sys
root, probe, variables, mode = sys.argv[1], sys.argv[5], sys.argv[6].split("\\n"), sys.argv[7:]
os.chroot(root)
os.chdir("/")
os.execve(probe, [probe, *mode], dict(item.split("=", 1) for item in variables if item))
"""


def hosts(wanted: tuple[str, ...]) -> list[Host]:
    """The roots with musl and the glibc runtimes, with and without a way to the latter, made as far as they are not there."""
    found = []
    for base, suite in SUITES.items():
        root = cache_dir() / "roots" / base
        names = [f"{base}{setting}" for setting in SETTINGS if not wanted or f"{base}{setting}".startswith(wanted)]
        if names and not root.exists():
            make_root(Recipe(suite=suite, packages=("musl", "libgomp1", "libstdc++6")), root)
        if names:
            _compile(root)
        found += [
            Host(name=name, root=root, rolling=suite in ROLLING, environment=SETTINGS[name.removeprefix(base)]) for name in names
        ]
    return found


def beside_built_in(found: Sequence[Host]) -> list[Host]:
    """The roots without variables whose musl an Alpine has, given what that has beside musl; asked about what lies in none."""
    lent = {"LD_LIBRARY_PATH": f"{MOUNT_POINT}/{ALPINE}"}
    return [replace(host, name=f"{host.name} {BUILT_IN[host.name]}", environment=lent) for host in found if host.name in BUILT_IN]


def _compile(root: Path) -> None:
    if shutil.which("musl-gcc") is None:
        raise OracleError("the truth about musl needs musl-gcc: apt-get install musl-tools")
    target = f"{root}{PROBE}"
    run = subprocess.run(["musl-gcc", "-O1", "-o", target, SOURCE], capture_output=True, text=True, check=False)
    if run.returncode:
        raise OracleError(f"musl-gcc cannot compile {SOURCE.name}: {(run.stderr.strip().splitlines() or ['no reason'])[-1]}")


def ask(host: Host, objects: Path, paths: list[str], *mode: str) -> dict[str, tuple[str, int]]:
    """What the probe says of each path in this mode."""
    variables = "\n".join(f"{name}={value}" for name, value in host.environment.items())
    script = ["sh", "-c", ENTER, "sh", str(host.root), str(objects), sys.executable, LAUNCH, PROBE, variables, *mode]
    command = ["unshare", "-m", "--propagation", "private", *script]
    run = subprocess.run(command, input="".join(f"{path}\n" for path in paths).encode(), capture_output=True, check=False)
    parts = run.stdout.decode("utf-8", "backslashreplace").split("\0")[:-1]
    if len(parts) != 3 * len(paths):
        said = run.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
        raise OracleError(f"the loader of {host.name} cannot be asked in a chroot; the attempt said: {said[-1]}")
    return {path: (text, int(status)) for path, text, status in zip(parts[::3], parts[1::3], parts[2::3], strict=True)}


def observe(text: str, status: int) -> Observation:
    """One answer to "open"."""
    if text == "ok":
        return Observation(outcome="loads")
    if text.startswith("E"):
        return Observation(outcome="fails", text=text[1:])
    if text.startswith("S"):
        number, state = map(int, text[1:].split())
        name = signal.Signals(number).name
        phase: Phase = "loader" if state else "constructor"
        return Observation(outcome="hang" if name == "SIGALRM" else "crash", text=f"signal: {name}", phase=phase)
    # Nothing told the status before a constructor took the handlers away or ended the process.
    return Observation(outcome="exit", text=f"status {status}", phase="constructor")


def observe_listing(text: str, status: int) -> tuple[bool, set[str]]:
    """One answer to "list": did it end well, and which errors and libraries did it print?"""
    lines = {re.sub(r" \(0x[0-9a-f]+\)$", "", line) for line in text.splitlines()}
    # The loader itself comes first, under the name that the object's own PT_INTERP gives it.
    loaders = {line.strip() for line in lines if line.startswith("\t") and " => " not in line}
    lines = {line for line in lines if line.strip() not in loaders and line.rpartition(" => ")[2] not in loaders}
    if os.WIFSIGNALED(status):
        lines.add(f"signal: {signal.Signals(os.WTERMSIG(status)).name}")
    return status == 0, lines


class Predictor:
    """abicheck's view of one host."""

    def __init__(self, host: Host, objects: Path) -> None:
        built_in = host.name.partition(" ")[2]
        python = None if built_in else PROBE
        found = open_host(built_in or f"rootfs:{host.root}", python=python, settings=host.environment)
        assert isinstance(found.files, Root)
        places = ((MOUNT_POINT, str(objects)), *(((PROBE, f"{host.root}{PROBE}"),) if built_in else ()))
        view = View(directory="/", local="/", only="", places=places)
        self._host = found._replace(files=found.files.showing(view), python=Interpreter(PROBE))
        self._memo = Memo()
        self._process = start(self._host, PROBE, self._memo)[1]

    def opening(self, path: str) -> tuple[str | None, bool]:
        """What dlopen says, and whether abicheck says that it cannot know."""
        link_map, _ = dlopen(self._process, path, self._host, self._memo)
        return _printable(link_map.predicted), not link_map.errors and bool(link_map.missing)

    def listing(self, path: str) -> tuple[bool, bool, set[str]]:
        """What --list says: does it end well, or can abicheck not know, and which lines are printed?"""
        link_map, _ = musl.list_objects(self._host, path, self._memo)
        lines = {_printable(re.sub(r"^exit \d+: ", "", error.text)) or "" for error in link_map.errors}
        for item in link_map.objects[1:]:
            if item.search.found != "built-in":
                lines.add(f"\t{item.names[0]} => {item.path}")
        return not link_map.errors, not link_map.errors and bool(link_map.missing), lines


def _printable(text: str | None) -> str | None:
    return text and text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def compare_opening(host: Host, objects: Path, subjects: Sequence[Subject]) -> Iterator[Pair]:
    """Open each of `subjects`, twice, and predict what that says."""
    predictor = Predictor(host, objects)
    for some in _chunks(subjects):
        answers = [ask(host, objects, [subject.path for subject in some], mode) for mode in ("open", "guarded")]
        for subject in some:
            plain, guarded = (observe(*answer[subject.path]) for answer in answers)
            predicted, depends = predictor.opening(subject.path)
            observed = replace(plain, stable=plain == guarded)
            if predicted == plain.text:
                # A death in a constructor that was foretold is one that the loader is to blame for: it left DT_RELR undone.
                observed = replace(observed, phase="loader")
            yield Pair(host=host, subject=subject, predicted=predicted, depends=depends, observed=observed)


def compare_listing(host: Host, objects: Path, subjects: Sequence[Subject]) -> Iterator[Pair]:
    """List each of `subjects` and predict every line; of the lines only those are kept that differ."""
    predictor = Predictor(host, objects)
    for some in _chunks(subjects):
        answers = ask(host, objects, [subject.path for subject in some], "list", LOADER)
        for subject in some:
            well, lines = observe_listing(*answers[subject.path])
            predicted_well, depends, predicted_lines = predictor.listing(subject.path)
            observed = Observation(outcome="loads" if well else "fails", text=_excerpt(lines - predicted_lines))
            # Where both end well the libraries must be the same all the same.
            loads = predicted_well and not (well and lines != predicted_lines)
            predicted = None if loads else _excerpt(predicted_lines - lines)
            yield Pair(host=host, subject=subject, predicted=predicted, depends=depends, observed=observed)


def _excerpt(lines: set[str]) -> str:
    return f"{len(lines)} lines: {sorted(lines)[:3]}"


def _chunks(subjects: Sequence[Subject]) -> Iterator[Sequence[Subject]]:
    return (subjects[at : at + CHUNK] for at in range(0, len(subjects), CHUNK))


def compare(host: Host, objects: Path, mode: str, subjects: Sequence[Subject]) -> list[Pair]:
    """Ask the loader and abicheck about each of `subjects`."""
    compare_in = {"open": compare_opening, "list": compare_listing}[mode]
    named = replace(host, name=f"{host.name} {mode}")
    return [replace(pair, host=named) for pair in compare_in(host, objects, subjects)]


def passes(pairs: Sequence[Pair]) -> bool:
    """Whether all intact objects agree to the letter, and most damaged ones; rolling suites do not count."""
    gating = [pair for pair in pairs if pair.counted and not pair.host.rolling]
    damaged = [pair for pair in gating if pair.subject.edit]
    verdicts, texts = (sum(map(attrgetter(name), damaged)) for name in ("verdict_equal", "text_equal"))
    intact = all(pair.text_equal for pair in gating if not pair.subject.edit)
    return intact and verdicts >= DAMAGED_VERDICTS * len(damaged) and texts >= DAMAGED_TEXTS * len(damaged)


@click.command()
@click.option("--full", is_flag=True, help=f"All objects, not {SOME} for each host and mode.")
@click.option("--root", "wanted", multiple=True, metavar="NAME", help="Only hosts whose name starts so; may be repeated.")
@click.option("--built-in", "alpine", is_flag=True, help="Predict for built-in hosts.")
@click.option("--only", default="", metavar="SUBSTRING", help="Only objects whose path, family or edit contains this.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1)
def main(*, full: bool, wanted: tuple[str, ...], alpine: bool, only: str, jobs: int) -> None:
    """Compare abicheck's predictions with musl's own loader."""
    try:
        require()
        found = beside_built_in(hosts(wanted)) if alpine else hosts(wanted)
        objects = corpus()
        cases = [Subject(path=f"{MOUNT_POINT}/{path}", family="case") for path in make_cases(objects.directory)]
        tasks = [(host, mode, [*cases, *_asked(objects.of(host), alpine=alpine)]) for host in found for mode in MODES]
        with ProcessPoolExecutor(jobs) as pool:
            runs = [
                pool.submit(compare, host, objects.directory, mode, _choose(f"{host.name} {mode}", group, only, full=full))
                for host, mode, group in tasks
            ]
            pairs = [pair for run in runs for pair in run.result()]
    except (RootError, WheelError, OracleError) as error:
        raise click.ClickException(str(error)) from error
    for line in (*differences(pairs), *table(pairs)):
        click.echo(line)
    sys.exit(0 if pairs and passes(pairs) else 1)


def _asked(subjects: Sequence[Subject], *, alpine: bool) -> Sequence[Subject]:
    """All; of a built-in host only what is of a wheel: Alpine has not got what lies in Debian's roots."""
    return [each for each in subjects if each.family.startswith("wheel")] if alpine else subjects


def _choose(name: str, subjects: Sequence[Subject], only: str, *, full: bool) -> Sequence[Subject]:
    found = [each for each in subjects if only in f"{each.path} {each.family} {each.edit}"]
    return found if full else stratified({name: found}, SOME)[name]


if __name__ == "__main__":
    main()
