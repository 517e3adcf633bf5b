"""Distributions on hosts built by hand: wheels that are written on the spot, judged as if they were installed there."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.api.distributions import EnvironmentRun
from abicheck.api.options import Options
from abicheck.model.host import Assumption, Interpreter
from abicheck.read.artifacts.wheel import open_wheel
from tests.elfparts import Note, Relocation, Symbol
from tests.elfwriter import write_elf
from tests.judge.loader.machine import LIBC, PROGRAM, defined, host, libc, library
from tests.wheelwriter import SCHEME, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.model.artifact import Package
    from abicheck.model.host import Host
    from abicheck.model.report import Result

PYTHON = Interpreter(PROGRAM, (3, 12))
TAG = "cp312-cp312-manylinux2014_x86_64"
SUFFIX = ".cpython-312-x86_64-linux-gnu.so"


def extension(module: str, needed: tuple[str, ...] = (), *, runpath: str | None = None, stack: int = 6, wants: str = "") -> bytes:
    """An extension module that exports its PyInit function, and may want one symbol."""
    symbols = [Symbol(f"PyInit_{module}", defined=True), *([Symbol(wants)] if wants else [])]
    relocations = [Relocation("glob_dat", wants)] if wants else []
    return write_elf(needed=list(needed), runpath=runpath, symbols=symbols, relocations=relocations, stack=stack)


def wheel(
    tmp_path: Path, name: str, files: dict[str, bytes], tag: str = TAG, *, requires: str = "", python: str = ">=3"
) -> Package:
    info = f"{name}-1.0.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Python: {python}\n{needs}"
    metadata = {
        f"{info}/METADATA": about.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{each},,{len(content)}\n" for each, content in {**files, **metadata}.items()) + f"{info}/RECORD,,\n"
    path = write_wheel(tmp_path / f"{name}-1.0-{tag}.whl", {**files, **metadata, f"{info}/RECORD": record.encode()})
    return open_wheel(path, SCHEME, name)


def zipfile_content(package: Package) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(package.distribution.place) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def judge(packages: list[Package], on: Host | None = None) -> list[Result]:
    return EnvironmentRun(on or host({}, python=PYTHON), packages, tuple).results()


def test_an_extension_with_a_library_of_its_own(tmp_path: Path) -> None:
    files = {
        f"demo/ext{SUFFIX}": extension("ext", ("libown.so",), runpath="$ORIGIN/../demo.libs"),
        "demo.libs/libown.so": write_elf(soname="libown.so"),
        "demo.libs/libunused.so": write_elf(soname="libunused.so"),
        "demo/old.cpython-311-x86_64-linux-gnu.so": extension("old"),
        "demo/arm.so": write_elf(machine="aarch64"),
    }
    (result,) = judge([wheel(tmp_path, "demo", files)])
    assert (result.verdict, result.predicted, result.objects) == ("loads", None, 2)
    assert (result.tree, result.bindings) == (None, None)
    assert [(root.path, root.kind) for root in result.roots] == [(f"{SCHEME.library}/demo/ext{SUFFIX}", "extension")]
    assert {path.rpartition("/")[2]: reason for path, reason in result.unjudged} == {
        "arm.so": "built for aarch64",
        "libunused.so": "a library that no extension or program of the distribution loads",
        "old.cpython-311-x86_64-linux-gnu.so": "an extension for Python 3.11",
    }


def test_the_worst_root_decides(tmp_path: Path) -> None:
    files = {f"demo/good{SUFFIX}": extension("good"), f"demo/bad{SUFFIX}": extension("bad", ("libgone.so",))}
    (result,) = judge([wheel(tmp_path, "demo", files)])
    assert (result.verdict, result.predicted) == (
        "fails",
        "libgone.so: cannot open shared object file: No such file or directory",
    )
    assert "library-missing" in {finding.rule for finding in result.findings}


def test_libraries_count_where_there_is_nothing_else(tmp_path: Path) -> None:
    (result,) = judge([wheel(tmp_path, "demo", {"demo/libx.so": write_elf(needed=["libgone.so"])})])
    assert ([root.kind for root in result.roots], result.verdict) == (["library"], "fails")


def test_what_has_no_native_code_loads(tmp_path: Path) -> None:
    (result,) = judge([wheel(tmp_path, "demo", {"demo/__init__.py": b""})])
    assert (result.verdict, result.roots, result.artifact.arch) == ("loads", (), None)


@pytest.mark.parametrize(
    ("glibc", "verdict", "rule"), [((2, 36), "loads", "exec-stack-enabled"), ((2, 41), "fails", "exec-stack-refused")]
)
def test_an_executable_stack(glibc: tuple[int, int], verdict: str, rule: str, tmp_path: Path) -> None:
    files = {f"demo/ext{SUFFIX}": extension("ext", stack=7)}
    (result,) = judge([wheel(tmp_path, "demo", files)], host({}, glibc, python=PYTHON))
    assert (result.verdict, [finding.rule for finding in result.findings]) == (verdict, [rule])
    assert result.window is not None
    assert result.window.glibc_max == "2.40"


class TestWhatAnotherImportCures:
    """A library that is loaded already is found by its soname."""

    def _packages(self, tmp_path: Path) -> list[Package]:
        needy = wheel(tmp_path, "needy", {f"needy/ext{SUFFIX}": extension("ext", ("libinner.so",))})
        provider = {
            f"provider/core{SUFFIX}": extension("core", ("libinner.so",), runpath="$ORIGIN"),
            "provider/libinner.so": write_elf(soname="libinner.so"),
        }
        return [needy, wheel(tmp_path, "provider", provider)]

    def test_beside_it(self, tmp_path: Path) -> None:
        needy, provider = judge(self._packages(tmp_path))
        assert (needy.verdict, provider.verdict) == ("depends", "loads")
        assert needy.predicted == "libinner.so: cannot open shared object file: No such file or directory"
        assert [(each.fact, each.reason.partition(":")[0]) for each in needy.missing_facts] == [
            ("import-order", "provider first")
        ]
        assert needy.findings == ()

    def test_without_it(self, tmp_path: Path) -> None:
        (needy,) = judge(self._packages(tmp_path)[:1])
        assert (needy.verdict, needy.missing_facts) == ("fails", ())

    def test_would_be_installed_with_it(self, tmp_path: Path) -> None:
        needy, provider = self._packages(tmp_path)
        (result,) = EnvironmentRun(host({}, python=PYTHON), [needy], tuple, along=[provider]).results()
        assert result.verdict == "depends"

    def test_installed_but_not_judged(self, tmp_path: Path) -> None:
        needy, provider = self._packages(tmp_path)
        on = host({}, python=PYTHON)
        # What is installed on the host itself needs no layer; here the provider's files are a layer of another run.
        both = EnvironmentRun(on, [needy, provider], tuple).results()
        alone = EnvironmentRun(on, [needy], lambda: [provider]).results()
        assert (both[0].verdict, alone[0].verdict) == ("depends", "fails")

    def test_a_library_that_is_no_help(self, tmp_path: Path) -> None:
        needy = wheel(tmp_path, "needy", {f"needy/ext{SUFFIX}": extension("ext", ("libinner.so",))})
        broken = {
            f"provider/core{SUFFIX}": extension("core"),
            "provider/libinner.so": write_elf(soname="libinner.so"),
        }
        assert judge([needy, wheel(tmp_path, "provider", broken)])[0].verdict == "fails"


def test_python_code_that_opens_libraries_by_itself(tmp_path: Path) -> None:
    code = b"import ctypes, sys\nif sys.platform == 'linux':\n    ctypes.CDLL('libgone.so')\n"
    files = {f"demo/ext{SUFFIX}": extension("ext", ("libgone.so",)), "demo/__init__.py": code}
    (result,) = judge([wheel(tmp_path, "demo", files)])
    assert result.verdict == "depends"
    assert result.missing_facts[0].fact == "preload"
    windows = {**files, "demo/__init__.py": code.replace(b"linux", b"win32")}
    assert judge([wheel(tmp_path, "other", windows)])[0].verdict == "fails"


class TestLibrariesThatPythonCodeMayOpen:
    """Such code only matters where it may open what is lacking."""

    NEEDY = extension("ext", ("libgone.so",))

    @pytest.mark.parametrize(
        ("opens", "more", "verdict"),
        [
            ("name", {}, "fails"),  # nothing that it could open has it
            ("name", {"demo/hidden.so": write_elf(soname="libgone.so", needed=["libnone.so"])}, "depends"),
            ("'msvcrt'", {}, "fails"),
            ("'libgone.so'", {}, "depends"),  # from a directory that only the code knows
        ],
    )
    def test_what_the_environment_has(self, opens: str, more: dict[str, bytes], verdict: str, tmp_path: Path) -> None:
        code = f"import ctypes\ndef tool(name):\n    ctypes.CDLL({opens})\n".encode()
        (result,) = judge([wheel(tmp_path, "demo", {f"demo/ext{SUFFIX}": self.NEEDY, "demo/__init__.py": code, **more})])
        assert result.verdict == verdict

    def test_a_symbol_of_a_library_of_the_host(self, tmp_path: Path) -> None:
        on = host({"/lib/libhost.so": library(exports={"wanted": defined()}, dynamic={"soname": "libhost.so"})}, python=PYTHON)
        files = {f"demo/ext{SUFFIX}": extension("ext", wants="wanted")}
        for opens, verdict in (("libhost.so", "depends"), ("libother.so", "fails")):
            code = f"import ctypes\nctypes.CDLL('{opens}', ctypes.RTLD_GLOBAL)\n".encode()
            (result,) = judge([wheel(tmp_path, "demo", {**files, "demo/__init__.py": code})], on)
            assert result.verdict == verdict

    @pytest.mark.parametrize(("requires", "verdict"), [("cuda-runtime", "depends"), ("docs; extra == 'docs'", "fails")])
    def test_a_requirement_that_is_not_judged(self, requires: str, verdict: str, tmp_path: Path) -> None:
        code = b"import ctypes\ndef tool(name):\n    ctypes.CDLL(name)\n"
        package = wheel(tmp_path, "demo", {f"demo/ext{SUFFIX}": self.NEEDY, "demo/__init__.py": code}, requires=requires)
        assert judge([package])[0].verdict == verdict


def test_a_library_of_its_own_that_must_be_open_before(tmp_path: Path) -> None:
    files = {"demo/liba.so": write_elf(needed=["libb.so"]), "demo/libb.so": write_elf(soname="libb.so")}
    (result,) = judge([wheel(tmp_path, "demo", files)])
    assert (result.verdict, [each.fact for each in result.missing_facts]) == ("depends", ["load-order"])


def test_one_of_a_set_is_enough(tmp_path: Path) -> None:
    files = {f"demo/libcore{n}.so": write_elf(needed=[f"libavcodec.so.{n}"]) for n in (58, 59, 60)}
    lacking = judge([wheel(tmp_path, "demo", files)])[0]
    assert lacking.verdict == "fails"
    having = host({"/lib/libavcodec.so.59": library(dynamic={"soname": "libavcodec.so.59"})}, python=PYTHON)
    result = judge([wheel(tmp_path, "demo", files)], having)[0]
    assert result.verdict == "loads"
    assert sorted(root.verdict for root in result.roots) == ["fails", "fails", "loads"]


class TestAPythonThatIsNotThere:
    """The tag vouches for what the interpreter exports, and for nothing else."""

    ABSENT = Interpreter("/usr/local/bin/python3.12", (3, 12), at_hand=False)

    @pytest.mark.parametrize(
        ("wants", "verdict"), [("PyLong_AsLong", "loads"), ("_Py_NoneStruct", "loads"), ("Pyramid", "fails")]
    )
    def test_its_symbols(self, wants: str, verdict: str, tmp_path: Path) -> None:
        files = {f"demo/ext{SUFFIX}": extension("ext", wants=wants)}
        on = host({"/lib/libm.so.6": library(dynamic={"soname": "libm.so.6"})}, python=self.ABSENT)
        (result,) = judge([wheel(tmp_path, "demo", files)], on)
        assert (result.verdict, result.python.path) == (verdict, None)
        assert "interpreter" in {assumption.fact for assumption in result.assumptions}


CUBLAS = frozenset({"libcublas.so.12"})


@pytest.mark.parametrize(
    ("there", "more", "verdict"),
    [
        (False, {}, "fails"),
        (True, {}, "loads"),
        (False, {"uncertain": CUBLAS}, "depends"),
        (False, {"unread": CUBLAS}, "depends"),
    ],
)
def test_libraries_for_the_gpu_are_a_capability_of_their_own(
    there: bool,  # noqa: FBT001
    more: dict[str, Any],
    verdict: str,
    tmp_path: Path,
) -> None:
    opener = write_elf(
        symbols=[Symbol("PyInit_ext", defined=True), Symbol("dlopen")],
        relocations=[Relocation("glob_dat", "dlopen")],
        notes=[Note("text", 1, b"\0libcublas.so.12\0libcuda.so.1\0")],
    )
    files = {LIBC: libc("GLIBC_2.2.5", dlopen=defined())}
    if there:
        files["/lib/libcublas.so.12"] = library(dynamic={"soname": "libcublas.so.12"})
    (result,) = judge([wheel(tmp_path, "demo", {f"demo/ext{SUFFIX}": opener})], host(files, python=PYTHON, **more))
    assert result.verdict == "loads"
    assert dict(result.capabilities) == {"cpu": "loads", "cuda": verdict}
    assert [each.fact for each in result.missing_facts] == (["cuda"] if verdict == "depends" else [])


def test_the_tree_and_what_a_symbol_binds_to(tmp_path: Path) -> None:
    """Two extensions with one library: it stands there once, below each."""
    files = {
        f"demo/{module}{SUFFIX}": extension(module, ("libown.so",), runpath="$ORIGIN/../demo.libs", wants="own")
        for module in ("a", "b")
    }
    files["demo.libs/libown.so"] = write_elf(soname="libown.so", needed=["libc.so.6"], symbols=[Symbol("own", defined=True)])
    package = wheel(tmp_path, "demo", files)
    (result,) = EnvironmentRun(host({}, python=PYTHON), [package], tuple, Options(tree=True, symbol="own")).results()
    assert [entry.name.rpartition("/")[2] for entry in result.tree or ()] == [
        f"a{SUFFIX}", "libown.so", "libc.so.6", f"b{SUFFIX}", "libown.so",
    ]  # fmt: skip
    assert [binding.referrer.rpartition("/")[2] for binding in result.bindings or ()] == [f"a{SUFFIX}", f"b{SUFFIX}"]


def test_strict_asks_for_what_was_assumed(tmp_path: Path) -> None:
    package = wheel(tmp_path, "demo", {f"demo/ext{SUFFIX}": extension("ext", stack=7)})
    on = host({}, python=PYTHON, assumptions=(Assumption("selinux", "off"), Assumption("cpu", "x86-64-v3")))
    (result,) = EnvironmentRun(on, [package], tuple, Options(strict=True)).results()
    assert (result.verdict, [missing.fact for missing in result.missing_facts]) == ("depends", ["selinux"])
    assert judge([package], on)[0].verdict == "loads"


def test_an_extension_that_record_lists_and_that_is_not_there(tmp_path: Path) -> None:
    files = {f"demo/ext{SUFFIX}": extension("ext"), "demo/old.cpython-311-x86_64-linux-gnu.so": b"", "demo/__init__.py": b""}
    whole = wheel(tmp_path, "demo", files)
    record = dict(zipfile_content(whole))["demo-1.0.dist-info/RECORD"]
    info = {name: content for name, content in zipfile_content(whole) if name.startswith("demo-1.0")}
    path = write_wheel(tmp_path / "half.whl", {"demo/__init__.py": b"", **info, "demo-1.0.dist-info/RECORD": record})
    (result,) = judge([open_wheel(path, SCHEME, "demo")])
    assert (result.verdict, result.predicted) == ("fails", "python: ModuleNotFoundError: No module named 'demo.ext'")
    assert ("record-mismatch", "error") in {(finding.rule, finding.severity) for finding in result.findings}
    assert "no-native-code" not in {finding.rule for finding in result.findings}
    assert judge([whole])[0].verdict == "loads"
