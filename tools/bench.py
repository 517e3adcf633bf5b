"""Time abicheck beside its peers on the same real files in the same run, and print ratios.

The files are the shared objects of a real environment (numpy, scipy, onnxruntime, ctranslate2, av, tokenizers, opencv for this
Python), installed once into the cache, and the wheels of the same packages. Each job is run in turn with its peer; the medians of
user plus system time and the ratio of each pair count, so that a machine whose speed drifts still gives a fair figure. Peers that
are not installed are named and left out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from abicheck.read.matrix import read_matrix
from abicheck.read.toml import parse_toml

PACKAGES = ("numpy", "scipy", "onnxruntime", "ctranslate2", "av", "tokenizers", "opencv-python-headless")
ABICHECK = [sys.executable, "-m", "abicheck"]
#: Two releases of ctranslate2: the older one is the largest wheel with the least to read.
WHEELS = (*PACKAGES, "ctranslate2==4.4.0")
#: Its one extension is so small that checking it takes what any wheel takes: the start, and reading Python and the C library.
SMALLEST = "markupsafe"
#: What reading a wheel cannot do without: its ELF members, inflated.
INFLATE = """
import sys, zipfile
for path in sys.argv[1:]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as stream:
                if stream.read(4) == b"\\x7fELF":
                    while stream.read(1 << 20):
                        pass
"""
#: A measure of the machine, which others may be using, too.
LOOP = "value = 0\nfor number in range(10_000_000): value += number"
#: What a pattern that goes back and forth takes a hundred times as long for when there is ten times as much of it.
HOSTILE = {
    "blanks": b" ",
    "lines": b"\n",
    "quotations": b"\n>",
    "margins": b"> | ",
    "escapes": b"\x1b[",
    "titles": b"\x1b]0;",
    "backslashes": b"\\",
    "one word": b"a",
    "one path": b"/a",
    "digits": b"1.",
    "pins": b"=",
    "brackets": b"a[b]==",
    "rows": b"aa 1.2.3\n",
    "anchors": b": version GLIBC_2.38 not found (required by ",
    "libraries": b"libctranslate2-",
    "installed": b"Successfully installed a-1 ",
}
EMPTY_CLICK = "import click\n@click.group()\ndef main(): pass\nmain(['--help'])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of a command took: CPU and wall time in seconds, the largest resident size in MiB."""

    cpu: float
    wall: float
    peak: float


def cache() -> Path:
    """The folder that holds what is downloaded once."""
    base = os.environ.get("ABICHECK_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "abicheck"
    return Path(base)


def environment() -> Path:
    """The installed packages that are measured, made the first time."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    target = cache() / "bench" / f"python{version}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            command = [sys.executable, "-m", "pip", "install", "-q", "--only-binary=:all:", "--no-compile", "--target", folder]
            subprocess.run([*command, *PACKAGES], check=True)
            shutil.move(folder, target)
            Path(folder).mkdir()  # for the context manager to remove
    return target


def wheels() -> list[str]:
    """The wheels that are measured, downloaded the first time."""
    folder = cache() / "bench" / f"wheels{sys.version_info.major}.{sys.version_info.minor}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
            for package in (*WHEELS, SMALLEST):
                command = [
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    "-q",
                    "--no-deps",
                    "--only-binary=:all:",
                    "-d",
                    fresh,
                    package,
                ]
                subprocess.run(command, check=True)
            shutil.copytree(fresh, folder)
    return sorted(str(path) for path in folder.glob("*.whl"))


def shared_objects(folder: Path) -> list[str]:
    """Every ELF file below `folder`."""
    found = []
    for path in sorted(folder.rglob("*.so*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    found.append(str(path))
    return found


def measure(command: list[str], environ: dict[str, str] | None = None) -> Run:
    """Run `command` once, its output thrown away, and account for it and its children.

    Python keeps the bytecode of what it imports, as an installer does, whatever this environment says: else every run would
    compile all of abicheck again.
    """
    environ = {**(os.environ if environ is None else environ)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    code = (
        "import os, resource, subprocess, sys, time\n"
        "start = time.perf_counter()\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *command], env=environ, check=True, capture_output=True, text=True
    )
    cpu, wall, peak = map(float, done.stdout.split())
    return Run(cpu=cpu, wall=wall, peak=peak)


def compare(
    name: str, ours: list[str], theirs: list[str] | None, runs: int, environ: dict[str, str] | None = None
) -> float | None:
    """Run both in turn, print the medians and the median ratio of the pairs, and give that ratio."""
    if theirs is not None and shutil.which(theirs[0]) is None:
        print(f"{name}: {theirs[0]} is not installed; left out")
        theirs = None
    measure(ours, environ)
    own, other = [], []
    for _ in range(runs):
        own.append(measure(ours, environ))
        if theirs is not None:
            other.append(measure(theirs, environ))
    cpu, wall = statistics.median(r.cpu for r in own), statistics.median(r.wall for r in own)
    line = f"{name}: cpu {cpu:.3f} s, wall {wall:.3f} s, peak {max(r.peak for r in own):.0f} MiB"
    if not other:
        print(line)
        return None
    ratio = statistics.median(a.cpu / b.cpu for a, b in zip(own, other, strict=True))
    print(f"{line}; peer's cpu {statistics.median(r.cpu for r in other):.3f} s; ratio {ratio:.3f}")
    return ratio


def bench_wheels(runs: int) -> list[str]:
    """Wheels read in memory, beside auditwheel and beside the bare inflating of their ELF members."""
    missed = []
    paths = [path for path in wheels() if not os.path.basename(path).startswith(SMALLEST)]
    (smallest,) = set(wheels()) - set(paths)
    check = [*ABICHECK, "check", "--no-cache", "--format", "json"]
    each = ["sh", "-c", 'for wheel; do auditwheel show "$wheel"; done', "sh", *paths]
    if shutil.which("auditwheel") is None:
        print("auditwheel is not installed; left out")
    elif (ratio := compare(f"{len(paths)} wheels : auditwheel show", [*check, *paths], each, 1)) is not None and ratio > 1 / 8:
        missed.append(f"{len(paths)} wheels take {ratio:.3f} of auditwheel's CPU time, more than 1/8")
    start = min(measure([*check, smallest]).cpu for _ in range(runs))
    python = statistics.median(measure([sys.executable, "-c", "import zipfile"]).cpu for _ in range(runs))
    for path in paths:
        own = min(measure([*check, path]).cpu for _ in range(runs)) - start
        floor = min(measure([sys.executable, "-c", INFLATE, path]).cpu for _ in range(runs)) - python
        print(f"{os.path.basename(path)}: {own:.3f} s over start-up, inflating alone {floor:.3f} s; ratio {own / floor:.2f}")
        if own > 1.2 * floor:
            missed.append(f"{os.path.basename(path)} takes {own / floor:.2f} of inflating it, more than 1.2")
    installed = ["--env", str(environment()), "--no-deps", "ctranslate2"]
    wall = statistics.median(measure([*check, *installed]).wall for _ in range(runs))
    print(f"installed ctranslate2: {wall:.3f} s")
    if wall > 0.25:
        missed.append(f"an installed ctranslate2 takes {wall:.3f} s, more than 0.25")
    return missed


def bench(runs: int) -> list[str]:
    """Run all jobs; gives the bounds that were missed."""
    objects = shared_objects(environment())
    size = sum(os.path.getsize(path) for path in objects) / 1e6
    print(f"{len(objects)} shared objects, {size:.0f} MB, Python {sys.version.split()[0]}")
    check = [*ABICHECK, "check", "--format", "json"]
    largest = max((path for path in objects if "libctranslate2" in path), key=os.path.getsize)
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "ABICHECK_CACHE": folder}
        first = compare(
            "all objects, no cache : ldd -r", [*check, "--no-cache", *objects], ["ldd", "-r", *objects], runs, environ
        )
        again = compare("all objects, second run : first", [*check, *objects], [*check, "--no-cache", *objects], runs, environ)
        for peer in (["ldd", "-r"], ["auditwheel", "lddtree"], ["libtree", "-vvv"], ["lddtree", "-a"]):
            compare(f"libctranslate2 alone : {' '.join(peer)}", [*check, "--no-cache", largest], [*peer, largest], runs, environ)
        for peer in (["lddtree", "-a"], ["libtree"], ["readelf", "-ldV", "--dyn-syms"]):
            compare(f"all objects, no cache : {' '.join(peer)}", [*check, "--no-cache", *objects], [*peer, *objects], 1, environ)
        empty = [measure([sys.executable, "-c", EMPTY_CLICK]).cpu for _ in range(runs)]
        ours = [measure([*ABICHECK, "--help"]).cpu for _ in range(runs)]
    extra = statistics.median(ours) - statistics.median(empty)
    peak = measure([*check, "--no-cache", *objects]).peak
    print(f"--help: {statistics.median(ours):.3f} s, {1000 * extra:.0f} ms more than an empty click program")
    if first is not None and first > 0.15:
        missed.append(f"all objects take {first:.3f} of ldd -r's CPU time, more than 0.15")
    if again is not None and again > 0.5:
        missed.append(f"a second run takes {again:.3f} of the first, more than 0.5")
    if extra > 0.030:
        missed.append(f"--help takes {1000 * extra:.0f} ms more than an empty click program, more than 30")
    if peak > 80:
        missed.append(f"all objects take {peak:.0f} MiB, more than 80")
    return missed


def bench_triage() -> list[str]:
    """A report of 10 MB: a log with one error at its end, one whose lines look like errors, and one that is made of reports."""
    missed = []
    line = "2026-01-02T10:11:12.345Z INFO worker[{0}] request took {0} ms path=/api/v1/items/{0} status=200\n"
    near = "OSError: lib{0}.so: cannot open shared object file: number {0}; version GLIBC_2.{0} not found by {0}\n"
    error = "ImportError: libx.so: cannot enable executable stack as shared object requires: Invalid argument\n"
    texts = {
        name: "".join(each.format(number) for number in range(10_000_000 // len(each)))
        for name, each in (("a log", line), ("near misses", near))
    }
    corpus = sorted((Path(__file__).parents[1] / "tests/judge/triage/reports").glob("*.toml"))
    reports = "\n".join(each["text"] for path in corpus for each in parse_toml(path.read_text(encoding="utf-8"))["report"])
    texts["reports"] = reports * (10_000_000 // len(reports) + 1)
    loop = min(measure([sys.executable, "-c", LOOP]).cpu for _ in range(3))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.txt"
        for name, text in texts.items():
            path.write_text(text[:9_999_000] + "\n" + error, encoding="utf-8")
            run = min((measure([*ABICHECK, "triage", "--no-replay", str(path)]) for _ in range(3)), key=lambda run: run.cpu)
            ratio = run.cpu / loop
            print(f"triage of {name}, 10 MB: wall {run.wall:.2f} s, cpu {run.cpu:.2f} s, {ratio:.1f} times ten million additions")
            if run.wall > 2:
                missed.append(f"triage of {name} of 10 MB takes {run.wall:.2f} s, more than 2")
    return missed


def bench_hostile() -> list[str]:
    """Ten times as much of each hostile text takes about ten times as long, and surely not forty times."""
    from abicheck.judge.triage.read import read_report  # noqa: PLC0415 -- of no other job

    def seconds(unit: bytes, size: int) -> float:
        text = unit * (size // len(unit))
        times = []
        for _ in range(3):
            start = time.process_time()
            read_report(text)
            times.append(time.process_time() - start)
        return min(times)

    ratios = {name: seconds(unit, 400_000) / max(seconds(unit, 40_000), 0.005) for name, unit in HOSTILE.items()}
    worst = max(ratios, key=ratios.__getitem__)
    print(f"triage of hostile texts, ten times as long: {ratios[worst]:.1f} times as slow at worst ({worst})")
    return [f"ten times as many {name} take {ratio:.0f} times as long" for name, ratio in ratios.items() if ratio >= 40]


def bench_grid() -> list[str]:
    """The matrix of CTranslate2 on the hosts that nobody has to have, from facts that were kept."""
    matrix = Path(__file__).parents[1] / "matrices" / "ctranslate2.toml"
    (sweep,) = read_matrix(str(matrix)).sweeps
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "grid.json"
        hosts = [each for host in sweep.hosts for each in ("--host", host)]
        command = [*ABICHECK, "check", str(matrix), *hosts]
        measure([*command, "--format", "json", "-o", str(report)])  # downloads and reads what is not kept yet
        cells = len(json.loads(report.read_text(encoding="utf-8"))["results"])
    runs = [measure(command) for _ in range(3)]
    loop = min(measure([sys.executable, "-c", LOOP]).cpu for _ in range(3))
    wall, cpu = min(run.wall for run in runs), min(run.cpu for run in runs)
    print(f"grid: {cells:,} cells, {len(sweep.hosts)} hosts: wall {wall:.2f} s, {1000 * wall / cells:.2f} ms a cell")
    print(f"grid: cpu {cpu:.2f} s, {cpu / loop:.1f} times that of ten million additions ({loop:.2f} s)")
    missed = [] if wall < 5 else [f"the grid takes {wall:.2f} s, more than 5"]
    return missed if wall < cells / 1000 else [*missed, f"a cell takes {1000 * wall / cells:.2f} ms, more than 1"]


def bench_gate() -> list[str]:
    """A lock of 150 packages of which three change, on two hosts, from wheels that were fetched and facts that were kept."""
    with tempfile.TemporaryDirectory() as folder:
        for name, versions in (("old", ("4.6.0", "2.2.0", "5.3.0")), ("new", ("4.6.1", "2.2.6", "5.3.1"))):
            changed = dict(zip(("ctranslate2", "numpy", "lxml"), versions, strict=True))
            packages = {**{f"package-{number}": "1.0" for number in range(147)}, **changed}
            (Path(folder) / name).mkdir()
            (Path(folder) / name / "uv.lock").write_text(_uv_lock(packages), encoding="utf-8")
        locks = [f"{folder}/{name}/uv.lock" for name in ("old", "new")]
        command = [*ABICHECK, "gate", *locks, "--host", "debian:12", "--host", "debian:13", "--python", "3.12"]
        measure(command)  # fetches and reads what is not kept yet
        wall = min(measure(command).wall for _ in range(3))
    print(f"gate: 150 packages, 3 changed, 2 hosts: wall {wall:.2f} s")
    return [] if wall < 3 else [f"the gate takes {wall:.2f} s, more than 3"]


def _uv_lock(packages: dict[str, str]) -> str:
    """A lock as uv writes it, of a project that requires all of these."""
    index = 'source = { registry = "https://index.example.org/simple" }'
    links = "".join(f'    {{ name = "{name}" }},\n' for name in packages)
    parts = [f'[[package]]\nname = "project"\nversion = "1.0"\nsource = {{ virtual = "." }}\ndependencies = [\n{links}]\n']
    parts += [f'[[package]]\nname = "{name}"\nversion = "{version}"\n{index}\n' for name, version in packages.items()]
    return 'version = 1\nrequires-python = ">=3.10"\n\n' + "\n".join(parts)


def main() -> int:
    """Command line: print the table, exit 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each command")
    runs = parser.parse_args().runs
    missed = bench_grid() + bench_triage() + bench_hostile() + bench_gate() + bench(runs) + bench_wheels(runs)
    for line in missed:
        print(f"missed: {line}")
    print("all bounds held" if not missed else f"{len(missed)} bounds missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
