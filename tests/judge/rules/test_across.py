"""Each rule that looks across objects: where it fires and where it must stay silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from abicheck.judge.rules.across import findings
from abicheck.judge.rules.context import Context, NoWheel, Opened, Target
from abicheck.model.artifact import GuardedImport, Problem, Sources
from tests.judge.loader.machine import defined, defines, header, host, library, load, needs, segments, wanted
from tests.judge.loader.musl_machine import musl_host
from tests.judge.rules.environment import SITE, context, distribution, named

if TYPE_CHECKING:
    from abicheck.model.elf import SharedObject

EXT = "pkg/_ext.cpython-312-x86_64-linux-gnu.so"
ORIGIN = {"runpath": "$ORIGIN/../pkg.libs"}
STACK = segments(stack=7)


def module(needed: tuple[str, ...] = (), name: str = "_ext", **more: Any) -> SharedObject:
    """An extension module."""
    exports = {f"PyInit_{name}": defined()}
    return library(needed, **{"exports": exports, "dynamic": ORIGIN, **more})


def of(facts: SharedObject, path: str = "pkg.libs/liba.so", **more: Any) -> Context:
    """A distribution of one file."""
    return context({path: facts}, distribution=distribution("pkg", path), **more)


class TestExecStackEnabled:
    @pytest.mark.parametrize(
        ("glibc", "facts", "expected"),
        [
            ((2, 36), STACK, [("exec-stack-enabled", "pkg.libs/liba.so")]),
            ((2, 36), segments(stack=None), [("exec-stack-enabled", "pkg.libs/liba.so")]),
            ((2, 36), segments(), []),
            ((2, 41), STACK, []),
        ],
    )
    def test_an_object_of_the_load(self, glibc: tuple[int, int], facts: Any, expected: list[tuple[str, str]]) -> None:
        files = {EXT: module(("liba.so",)), "pkg.libs/liba.so": library(segments=facts)}
        on = host({f"{SITE}/{path}": each for path, each in files.items()}, glibc)
        found = context(files, distribution=distribution("pkg", *files), roots={EXT: "pkg"}, on=on)
        assert named(findings(found)) == expected

    def test_where_the_stack_is_executable_from_the_start(self) -> None:
        files = {EXT: module(segments=STACK)}
        environment = {"GLIBC_TUNABLES": "glibc.rtld.execstack=2"}
        on = host({f"{SITE}/{EXT}": files[EXT]}, (2, 42), environment=environment)
        found = context(files, distribution=distribution("pkg", EXT), roots={EXT: "pkg"}, on=on)
        assert named(findings(found)) == [("exec-stack-enabled", EXT)]

    def test_musl_does_not_look(self) -> None:
        files = {EXT: module(segments=STACK)}
        on = musl_host({f"{SITE}/{EXT}": files[EXT]})
        found = context(files, distribution=distribution("pkg", EXT), roots={EXT: "pkg"}, on=on)
        assert found.loads[0].link_map.predicted is None
        assert named(findings(found)) == []

    def test_the_load_of_another_distribution_is_its_own_affair(self) -> None:
        files = {EXT: module(segments=STACK)}
        other = distribution("other", EXT)
        found = context(files, distribution=distribution("pkg"), others=(other,), roots={EXT: "other"})
        assert named(findings(found)) == [("no-native-code", "pkg")]


PRIVATE = [needs("libc.so.6", "GLIBC_2.2.5", "GLIBC_PRIVATE")]


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        (library(version_needs=PRIVATE, wants=[wanted("_rtld_global_ro", "GLIBC_PRIVATE", "ld.so")]), ["private-symbol"]),
        (library(version_needs=[needs("libc.so.6", "GLIBC_2.2.5")]), []),
        # A part of glibc that was bundled: one cause, one finding.
        (library(version_definitions=defines("GLIBC_2.22"), version_needs=PRIVATE), ["grafted-glibc"]),
        (library(version_definitions=defines("GLIB_2.0", "LIBC_1")), []),
        # GCC's library has a node of that name on aarch64.
        (library(version_definitions=defines("GLIBC_2.0", "GCC_3.0")), []),
        (library(dynamic={"textrel": True}), ["text-relocation"]),
        (library(exports={"malloc": defined(), "free": defined()}), ["allocator-interposed"]),
        (library(exports={"malloc": defined()}), []),
        (library(exports={"malloc": defined(), "free": defined()._replace(visibility=2)}), []),
        (library(exports={"malloc": defined(), "free": defined()}, interpreter="/lib64/ld.so"), []),
        (library(exports={"je_malloc": defined(), "je_free": defined()}), []),
        # Another machine's file is not judged.
        (library(dynamic={"textrel": True}, header=header(183)), []),
    ],
)
def test_single_objects(facts: SharedObject, rules: list[str]) -> None:
    assert [finding.rule for finding in findings(of(facts))] == rules


def test_private_symbols_are_named() -> None:
    facts = library(
        version_needs=PRIVATE, wants=[wanted("b", "GLIBC_PRIVATE", "x"), wanted("a", "GLIBC_PRIVATE", "x"), wanted("c")]
    )
    assert "(a, b)" in findings(of(facts))[0].message


@pytest.mark.parametrize(
    ("path", "severity"),
    [
        ("pkg.libs", "warning"),
        ("$ORIGIN:", "warning"),
        ("$LIB/x", "warning"),
        ("/tmp/build/lib", "warning"),
        ("/home/builder/lib", "note"),
        ("$ORIGIN/../pkg.libs:${ORIGIN}", None),
        ("/usr/lib/x", None),
        ("/home/here/lib", None),  # the host has it
        ("", None),
    ],
)
@pytest.mark.parametrize("tag", ["rpath", "runpath"])
def test_search_paths(path: str, severity: str | None, tag: str) -> None:
    on = host({"/home/here/lib/libx.so": library()})
    found = findings(of(library(dynamic={tag: path}), on=on))
    assert [(finding.rule, finding.severity) for finding in found] == ([("relative-rpath", severity)] if severity else [])


def test_an_rpath_that_is_not_used_does_not_matter() -> None:
    assert findings(of(library(dynamic={"rpath": "here", "runpath": "$ORIGIN"}))) == ()


class TestOpenMP:
    def found(self, mine: tuple[str, ...], others: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        files = {path: library(dynamic={"soname": path.rpartition("/")[2]}) for path in (*mine, *others)}
        found = context(files, distribution=distribution("pkg", *mine), others=(distribution("other", *others),))
        return [(each.rule, each.severity) for each in findings(found)]

    GOMP, OTHER_GOMP = "pkg.libs/libgomp-a34b3233.so.1.0.0", "other.libs/libgomp-e985bcbb.so.1.0.0"

    def test_two_of_gnu(self) -> None:
        assert self.found((self.GOMP,), (self.OTHER_GOMP,)) == [("duplicate-openmp", "note")]

    def test_two_that_abort(self) -> None:
        assert self.found(("pkg.libs/libiomp5-c273031f.so",), ("other/lib/libomp.so",)) == [("duplicate-openmp", "warning")]

    def test_one_name_is_one_library(self) -> None:
        assert self.found((self.GOMP,), ("other.libs/libgomp-a34b3233.so.1.0.0",)) == []

    def test_one_alone(self) -> None:
        assert self.found((self.GOMP,), ("other/libgomposite.so",)) == []

    def test_those_of_others_are_their_own_affair(self) -> None:
        assert self.found((), (self.GOMP, self.OTHER_GOMP)) == [("no-native-code", "note")]

    def test_the_one_of_the_system(self) -> None:
        files = {EXT: module(("libgomp.so.1",)), self.OTHER_GOMP: library(dynamic={"soname": "libgomp-e985bcbb.so.1.0.0"})}
        system = {"/usr/lib/libgomp.so.1": library(dynamic={"soname": "libgomp.so.1"})}
        on = host({f"{SITE}/{path}": each for path, each in files.items()} | system)
        found = context(
            files,
            distribution=distribution("pkg", EXT),
            others=(distribution("other", self.OTHER_GOMP),),
            roots={EXT: "pkg"},
            on=on,
        )
        assert named(findings(found)) == [("duplicate-openmp", "/usr/lib/libgomp.so.1")]


class TestDuplicateLibrary:
    def found(self, soname: str, *, copies: bool = False) -> list[tuple[str, str]]:
        second = "other/_b.cpython-312-x86_64-linux-gnu.so"
        files = {
            EXT: module((soname,)),
            f"pkg.libs/{soname}": library(dynamic={"soname": soname}),
            second: module((soname,), "_b", dynamic={"runpath": "$ORIGIN/../other.libs"}),
            f"other.libs/{soname}": library(dynamic={"soname": soname}, size=0x2000 if copies else 0x3000),
        }
        mine, others = [path for path in files if path.startswith("pkg")], [path for path in files if path.startswith("other")]
        found = context(
            files,
            distribution=distribution("pkg", *mine),
            others=(distribution("other", *others),),
            roots={EXT: "pkg", second: "other"},
        )
        return named(findings(found))

    def test_two_files(self) -> None:
        assert self.found("libavutil.so.57") == [("duplicate-library", "other.libs/libavutil.so.57")]

    def test_copies(self) -> None:
        assert self.found("libavutil.so.57", copies=True) == []

    def test_names_with_the_hash_of_auditwheel(self) -> None:
        assert self.found("libdrm-b0291a67.so.2.4.0") == []


class TestPython:
    @pytest.mark.parametrize(
        ("names", "tags", "target", "expected"),
        [
            (["a.cpython-312-x86_64-linux-gnu.so"], (), Target((3, 12)), None),
            (["a.cpython-311-x86_64-linux-gnu.so"], (), Target((3, 12)), "interpreter-mismatch"),
            (["a.cpython-312-aarch64-linux-gnu.so"], (), Target((3, 12)), "interpreter-mismatch"),
            (["a.cpython-312-x86_64-linux-gnu.so"], (), Target(None), None),
            (["a.cpython-311-x86_64-linux-gnu.so", "a.cpython-312-x86_64-linux-gnu.so"], (), Target((3, 12)), None),
            (["a.cpython-311-x86_64-linux-gnu.so", "a.so"], (), Target((3, 12)), None),
            (["a.abi3.so"], ("cp39-abi3-manylinux_2_17_x86_64",), Target((3, 12)), None),
            (["a.abi3.so"], ("cp313-abi3-manylinux_2_17_x86_64",), Target((3, 12)), "interpreter-mismatch"),
            (["a.abi3.so"], (), Target((3, 12)), None),
            (["a.abi3.so"], (), Target((3, 14), free_threaded=True), "free-threaded-mismatch"),
            (["a.cpython-314t-x86_64-linux-gnu.so"], (), Target((3, 14), free_threaded=True), None),
            (["a.cpython-314t-x86_64-linux-gnu.so"], (), Target((3, 14)), "free-threaded-mismatch"),
            (["a.cpython-314-x86_64-linux-gnu.so"], (), Target((3, 14), free_threaded=True), "free-threaded-mismatch"),
            (["liba.so.1", "a.so"], (), Target((3, 12)), None),
        ],
    )
    def test_names(self, names: list[str], tags: tuple[str, ...], target: Target, expected: str | None) -> None:
        paths = [f"pkg/{name}" for name in names]
        package = distribution("pkg", *paths, tags=tags)
        found = findings(context(dict.fromkeys(paths, library()), distribution=package, python=target))
        assert [(finding.rule, finding.severity) for finding in found] == ([(expected, "error")] if expected else [])

    def test_one_that_fits_beside_it_makes_it_a_warning(self) -> None:
        paths = ["pkg/a.cpython-312-x86_64-linux-gnu.so", "pkg/b.cpython-39-x86_64-linux-gnu.so"]
        (finding,) = findings(context(dict.fromkeys(paths, library()), distribution=distribution("pkg", *paths)))
        assert (finding.rule, finding.severity, finding.object) == ("interpreter-mismatch", "warning", paths[1])
        assert "It is for Python 3.9 on x86_64." in finding.message

    def test_many_are_one_finding(self) -> None:
        paths = [f"pkg/{name}.cpython-39-x86_64-linux-gnu.so" for name in "abc"]
        (finding,) = findings(context(dict.fromkeys(paths, library()), distribution=distribution("pkg", *paths)))
        assert finding.evidence == ("so are 2 other extensions of it",)

    @pytest.mark.parametrize(
        ("wants", "free_threaded", "fires"),
        [
            (["PyModule_Create2"], True, True),
            (["PyModule_Create2"], False, False),
            (["PyModule_Create2", "PyUnstable_Module_SetGIL"], True, False),
            (["PyModuleDef_Init"], True, False),  # its slots tell, and they can't be read
        ],
    )
    def test_the_gil(self, wants: list[str], free_threaded: bool, fires: bool) -> None:  # noqa: FBT001 -- a table
        path = f"pkg/_ext.cpython-314{'t' if free_threaded else ''}-x86_64-linux-gnu.so"
        facts = module(wants=[wanted(name) for name in wants])
        found = findings(of(facts, path, python=Target((3, 14), free_threaded)))
        assert [(finding.rule, finding.confidence) for finding in found] == ([("gil-reenabled", "likely")] if fires else [])

    def guarded(self, path: str, facts: SharedObject, name: str = "pkg._ext") -> list[tuple[str, str]]:
        sources = Sources(guarded=(GuardedImport(name, "pkg/__init__.py", 7),))
        roots = {path: "pkg"} if "312" in path else {}
        found = context({path: facts}, distribution=distribution("pkg", path), roots=roots, sources=sources)
        return [(each.rule, each.confidence) for each in findings(found)]

    def test_an_extension_that_is_missed_in_silence(self) -> None:
        assert self.guarded(EXT, module(("libgone.so",))) == [("extension-silently-missing", "possible")]
        unseen = "pkg/_ext.cpython-39-x86_64-linux-gnu.so"
        assert ("extension-silently-missing", "likely") in self.guarded(unseen, module())

    def test_a_guarded_import_that_works_or_is_of_others(self) -> None:
        assert self.guarded(EXT, module()) == []
        assert self.guarded(EXT, module(("libgone.so",)), "tqdm") == []

    def test_a_python_without_a_wheel(self) -> None:
        (finding,) = findings(of(library(), no_wheel=NoWheel("3.13", "3.12")))
        assert finding.rule == "no-wheel-for-default-python"
        assert finding.message == "The Python of test is 3.13; pkg 1.0 has wheels up to 3.12."


CXX = "libstdc++.so.6"


@pytest.mark.parametrize(
    ("tags", "facts", "needed"),
    [
        (["manylinux_2_17"], needs("libc.so.6", "GLIBC_2.34", "GLIBC_2.28"), "GLIBC_2.34 of libc.so.6"),
        (["manylinux2014", "manylinux_2_28"], needs("libc.so.6", "GLIBC_2.28"), "GLIBC_2.28 of libc.so.6"),
        (["manylinux_2_28"], needs("libc.so.6", "GLIBC_2.28", "GLIBC_2.9"), None),
        (["manylinux_2_17"], needs("libc.so.6", "GLIBC_2.28", weak=True), None),
        (["manylinux_2_35"], needs("libc.so.6", "GLIBC_ABI_DT_RELR"), "GLIBC_ABI_DT_RELR of libc.so.6"),
        (["manylinux_2_36"], needs("libc.so.6", "GLIBC_ABI_DT_RELR"), None),
        (["manylinux_2_17"], needs(CXX, "GLIBCXX_3.4.20"), f"GLIBCXX_3.4.20 of {CXX}"),
        (["manylinux_2_17"], needs(CXX, "GLIBCXX_3.4.19", "CXXABI_1.3.7", "CXXABI_TM_1"), None),
        (["manylinux_2_29"], needs(CXX, "GLIBCXX_3.4.24"), None),
        (["manylinux_2_44"], needs(CXX, "GLIBCXX_3.4.99"), None),  # nothing is known of so new a tag
        (["manylinux_2_17"], needs("libbundled.so", "GLIBCXX_3.4.30"), None),
        (["linux"], needs("libc.so.6", "GLIBC_2.34"), None),
        (["manylinux_2_17", "linux"], needs("libc.so.6", "GLIBC_2.34"), None),
        (["musllinux_1_2"], needs("libc.so.6", "GLIBC_2.34"), None),
        ([], needs("libc.so.6", "GLIBC_2.34"), None),
    ],
)
def test_what_a_tag_promises(tags: list[str], facts: Any, needed: str | None) -> None:
    paths = {"pkg/a.so": library(version_needs=[facts]), "pkg/libbundled.so": library()}
    package = distribution("pkg", *paths, tags=tuple(f"cp312-cp312-{tag}_x86_64" for tag in tags))
    found = findings(context(paths, distribution=package))
    assert [finding.rule for finding in found] == (["tag-understates"] if needed else [])
    assert needed is None or f"It needs {needed}, " in found[0].message


def test_a_record_that_lies() -> None:
    problems = (Problem("missing", "pkg/a.py", "not there"), Problem("size", "pkg/b.py", "3 bytes, not 4"))
    package = distribution("pkg", problems=problems)
    finding, _ = findings(context({}, distribution=package))
    assert (finding.rule, finding.object) == ("record-mismatch", f"{SITE}/pkg-1.0.dist-info")
    assert finding.message == "Its files are not as its RECORD says: 1 missing, 1 of another size."
    assert finding.evidence == ("pkg/a.py: not there", "pkg/b.py: 3 bytes, not 4")
    assert "record-mismatch" not in dict(named(findings(context({}, distribution=distribution("pkg")))))


@pytest.mark.parametrize(
    ("yanked", "message"),
    [
        ("It segfaults.", "pkg 1.0 is yanked on the index. The reason given: It segfaults."),
        ("", "pkg 1.0 is yanked on the index."),
        (None, None),
    ],
)
def test_a_release_that_was_taken_back(yanked: str | None, message: str | None) -> None:
    found = findings(context({}, distribution=distribution("pkg", yanked=yanked)))
    assert [each.message for each in found if each.rule == "yanked-release"] == ([] if message is None else [message])


def test_libraries_for_the_gpu() -> None:
    path = "ctranslate2.libs/libctranslate2.so"
    package = distribution("ctranslate2", path, version="4.5.0")
    on = host({"/usr/lib/libcublas.so.12": library()})
    opened = tuple(Opened(name, f"{SITE}/{path}", "cuda", load(name, on)) for name in ("libcublas.so.12", "libcudnn_ops.so.9"))
    (finding,) = findings(context({path: library()}, distribution=package, opened=opened, on=on))
    assert (finding.rule, finding.object) == ("gpu-library-missing", path)
    assert finding.message == "libcudnn_ops.so.9, which it opens by name for cuda, can't be loaded on test."
    assert finding.remedies[0].text == "ctranslate2 4.6.3 or newer does not need it"


@pytest.mark.parametrize(("binaries", "expected"), [((), [("no-native-code", "pkg")]), (("pkg.libs/liba.so",), [])])
def test_no_native_code(binaries: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    files = {path: library() for path in binaries}
    assert named(findings(context(files, distribution=distribution("pkg", *binaries)))) == expected
