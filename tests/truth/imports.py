"""`python -m tests.truth.imports`: what abicheck predicts of installed wheels, beside a real `import` of them in a fresh process.

Each environment of `imports.toml` is installed once into the cache and shown to every host. A driver inside the host's root
imports the modules with the real Python and tells of every extension that Python opened. Three things must be equal: what the
loader said of each of them; whether the import works, where the prediction is the worst verdict of the distribution and of those
of its requirements that the import opened; and the loader's texts in a failed import, which must be among those predicted. A
distribution whose failures are all named by a finding `extension-silently-missing` must be imported all the same.
"""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from abicheck.api import Options, check
from abicheck.model.report import WORST_FIRST
from containers.make_root import RootError, cache_dir
from tests.truth.oracle import OracleError, enter, require
from tests.truth.roots import MOUNT_POINT, names, open_host

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abicheck.model.report import Result, RootResult, Verdict
    from tests.truth.roots import Host

LIST = Path(__file__).with_name("imports.toml")
DRIVER = Path(__file__).with_name("imports_driver.py").read_text(encoding="utf-8")
PYTHON = "3.9"
#: What pip of that Python takes on x86-64 with glibc 2.31.
PLATFORMS = [f"manylinux{tag}_x86_64" for tag in ("1", "2010", "2014", *(f"_2_{minor}" for minor in range(5, 32)))]
#: The roots as they are, without the C++ and OpenMP runtimes, and with executable stacks allowed.
HOSTS = re.compile(r"glibc-\d+\.\d+(-bare|\+execstack)?")


class InstallError(Exception):
    """An environment cannot be installed; the message says which and why."""


class Environment(NamedTuple):
    """What is installed together, and the modules to import for each distribution."""

    name: str
    requirements: tuple[str, ...]
    imports: Mapping[str, tuple[str, ...]]

    @property
    def directory(self) -> str:
        """The name of its directory, another one for other requirements."""
        return f"{self.name}-{blake2b(' '.join(self.requirements).encode(), digest_size=6).hexdigest()}"


class Observed(NamedTuple):
    """What a real import did: each extension that it opened with what the loader said, and why it failed, None if it did not."""

    opened: tuple[tuple[str, str | None], ...]
    error: str | None


class Compared(NamedTuple):
    """One import on one host: the verdicts, and a sentence for everything that is not equal."""

    host: str
    rolling: bool
    environment: str
    distribution: str
    predicted: Verdict
    observed: Observed
    differences: tuple[str, ...]


def read_list() -> list[Environment]:
    """The environments of `imports.toml`."""
    return [
        Environment(
            each["name"],
            tuple(sorted(each["requirements"])),
            {name: tuple(modules) for name, modules in each["imports"].items()},
        )
        for each in tomllib.loads(LIST.read_text(encoding="utf-8"))["environment"]
    ]


def place() -> Path:
    """Where the environments lie on this machine."""
    return cache_dir() / "truth" / "imports"


def install(environment: Environment) -> None:
    """Install it with the user's own pip configuration, if it is not there; it appears when it is complete."""
    target = place() / environment.directory
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".install.", dir=target.parent) as work:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"]
        wanted = ["--python-version", PYTHON, "--implementation", "cp", *(f"--platform={each}" for each in PLATFORMS)]
        command += [*wanted, "--target", f"{work}/all", *environment.requirements]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            errors = [line for line in run.stderr.splitlines() if line.startswith("ERROR")] or ["it said nothing"]
            raise InstallError(f"pip cannot install the environment {environment.name!r}: {errors[-1]}")
        Path(work, "all").rename(target)


def observe(host: Host, environment: Environment) -> dict[str, Observed]:
    """Import from each distribution in the host's root."""
    lines = ["\t".join([_inside(environment), *modules]) for modules in environment.imports.values()]
    run = enter(host, place(), [f"/usr/bin/python{PYTHON}", "-I", "-S", "-c", DRIVER], lines)
    answers = run.stdout.splitlines()
    if len(answers) != len(lines):
        said = run.stderr.strip().splitlines() or ["nothing"]
        raise OracleError(f"Python of {host.name} cannot be asked in a chroot; the attempt said: {said[-1]}")
    return dict(zip(environment.imports, map(understand, answers), strict=True))


def understand(answer: str) -> Observed:
    """Read one line of the driver's."""
    told, output, status = ast.literal_eval(answer)
    events = [ast.literal_eval(event) for event in told]
    opened = tuple((path, text) for kind, path, text in events if kind == "extension")
    error = next((text for kind, _, text in events if kind == "import" and text is not None), None)
    if status != 0:
        died = f"signal: {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else f"exit {status >> 8}"
        error = f"{died}: {output.strip()}"
    return Observed(opened, error)


def predict(host: Host, environment: Environment) -> dict[str, Result]:
    """What abicheck says of every distribution of the environment on the host."""
    report = check(
        [str(place() / environment.directory)],
        [f"rootfs:{host.root}"],
        python=PYTHON,
        settings=host.environment,
        options=Options(prefix=_inside(environment), stored=False),
    )
    if report.errors:
        raise InstallError(f"abicheck cannot judge {environment.name!r} on {host.name}: {report.errors[0].message}")
    return {result.artifact.name: result for result in report.results}


def examine(host: Host, environment: Environment) -> list[Compared]:
    """Predict and import everything of the environment on the host."""
    results = predict(host, environment)
    compared = []
    for name, observed in observe(host, environment).items():
        verdict, differences = compare(name, observed, results, _inside(environment))
        compared.append(Compared(host.name, host.rolling, environment.name, name, verdict, observed, differences))
    return compared


def compare(name: str, observed: Observed, results: Mapping[str, Result], prefix: str) -> tuple[Verdict, tuple[str, ...]]:
    """The predicted verdict of importing the distribution `name`, and what is not as predicted."""
    roots = {root.path: (owner, root) for owner, result in results.items() for root in result.roots}
    opened = [(path, text) for path, text in observed.opened if path.startswith(f"{prefix}/")]
    owners = {name, *(roots[path][0] for path, _ in opened if path in roots)}
    verdicts = {_of_importing(results[owner]) for owner in owners}
    verdict = next(each for each in WORST_FIRST if each in verdicts)
    texts = {root.predicted for owner in owners for root in results[owner].roots if root.predicted is not None}
    return verdict, (*_of_extensions(opened, roots), *_of_import(verdict, texts, observed.error, opened))


def _of_importing(result: Result) -> Verdict:
    """Its verdict, but "loads" where its Python code is said to do without all that fails."""
    silent = tuple(f"/{finding.object}" for finding in result.findings if finding.rule == "extension-silently-missing")
    does_without = bool(silent) and all(root.path.endswith(silent) for root in result.roots if root.verdict != "loads")
    return "loads" if does_without else result.verdict


def _of_extensions(opened: Sequence[tuple[str, str | None]], roots: Mapping[str, tuple[str, RootResult]]) -> Iterator[str]:
    for path, text in opened:
        if path not in roots:
            yield f"{path}: predicted: not judged; observed: {text or 'loads'}"
        elif roots[path][1].predicted != text:
            yield f"{path}: predicted: {roots[path][1].predicted or 'loads'}; observed: {text or 'loads'}"


def _of_import(verdict: Verdict, texts: set[str], error: str | None, opened: Sequence[tuple[str, str | None]]) -> Iterator[str]:
    said = {text for _, text in opened if text is not None}
    if verdict != ("loads" if error is None else "fails"):
        yield f"import: predicted: {verdict}; observed: {error or 'loads'}"
    elif error is not None and not (said and said <= texts):
        yield f"import: predicted: {' | '.join(sorted(texts))}; observed: {error}"


def _inside(environment: Environment) -> str:
    """Its path inside a root."""
    return f"{MOUNT_POINT}/{environment.directory}"


def table(everything: Sequence[Compared]) -> Iterator[str]:
    """Every difference, then figures for each host."""
    for each in everything:
        for difference in each.differences:
            told = " ".join(difference.split())
            yield f"{each.host}{_rolling(each)}: {each.distribution} ({each.environment}): {told}"
    yield f"{'host':28} {'imports':>8} {'fail':>6} {'depends':>8} {'equal':>6} {'extensions opened':>18}"
    hosts = {each.host + _rolling(each): each.host for each in everything}
    for title, host in (*hosts.items(), ("all", "")):
        group = [each for each in everything if host in ("", each.host)]
        fail = sum(each.observed.error is not None for each in group)
        depends = sum(each.predicted == "depends" for each in group)
        equal = sum(not each.differences for each in group)
        opened = sum(path.startswith(f"{MOUNT_POINT}/") for each in group for path, _ in each.observed.opened)
        yield f"{title:28} {len(group):8} {fail:6} {depends:8} {equal:6} {opened:18,}"


def _rolling(each: Compared) -> str:
    return " (rolling)" if each.rolling else ""


@click.command()
@click.option("--root", "wanted", multiple=True, default=["glibc"], metavar="NAME", help="Hosts whose name starts so.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1)
def main(*, wanted: tuple[str, ...], jobs: int) -> None:
    """Compare predictions of popular wheels with real imports; rolling suites report, they do not gate."""
    try:
        require()
        environments = read_list()
        for environment in environments:
            install(environment)
        hosts = [open_host(name) for name in names() if HOSTS.fullmatch(name) and name.startswith(wanted)]
        with ProcessPoolExecutor(jobs) as pool:
            parts = [pool.submit(examine, host, environment) for host in hosts for environment in environments]
            everything = [each for part in parts for each in part.result()]
    except (RootError, OracleError, InstallError) as error:
        raise click.ClickException(str(error)) from error
    for line in table(everything):
        click.echo(line)
    gating = [each for each in everything if not each.rolling]
    sys.exit(0 if gating and not any(each.differences for each in gating) else 1)


if __name__ == "__main__":
    main()
