"""Small objects for the rules of musl's loader that no wheel's object meets, compiled with musl-gcc."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from abicheck.model.elf import SharedObject
from abicheck.read.hosts import open_host
from tests.truth.oracle import OracleError

SELF = Path(__file__)


class Case(NamedTuple):
    """One object: its path below the directory of cases, its C source, and the compiler's flags."""

    path: str
    source: str
    flags: tuple[str, ...] = ()


IE = '__attribute__((tls_model("initial-exec")))'
CALL = "void callee(void); void caller(void) { callee(); }"
GET = "int *get(void) { return &variable; }"
#: The libraries stand beside who needs them, and are needed even if nothing of them is used.
HERE = ("-Wl,--no-as-needed", "-L.", "-Wl,-rpath,$ORIGIN")
LFS64 = ("fopen64", "posix_fallocate64", "readdir64_r", "strtof64", "__fxstatat64", "lstat64", "gnu_get_libc_version")
#: What only some releases define, or some builds of one.
NEWER = ("statx", "preadv2", "renameat2", "posix_getdents", "fts_open", "pthread_create")
#: Below this directory lies what Alpine has beside musl, for roots that lack it.
ALPINE = "musl/alpine"
RELR = "static int a[64]; int *p[] = {a, a + 1}; __attribute__((constructor)) static void set(void) { *p[1] = 1; }"
NEEDS = ("needs-math", "needs-vector", "needs-slash", "needs-empty")
PATHS = {
    "rpath": ("--disable-new-dtags", "$ORIGIN/deep"),
    "runpath": ("--enable-new-dtags", "${ORIGIN}//deep/."),
    "token": ("--enable-new-dtags", "$ORIGIN/deep:/$LIB"),
    "plain": ("--enable-new-dtags", "/x/musl/deep/:/none"),
    "prefix": ("--enable-new-dtags", "$ORIGINAL:$ORIGIN/deep"),
    "absent": ("--enable-new-dtags", "none:::/none"),
}
CASES = (
    Case("libdefiner.so", "void callee(void) {} __thread int variable = 1;"),
    Case("libifunc.so", 'static void *pick(void) { return 0; } void callee(void) __attribute__((ifunc("pick")));'),
    Case("libold.so", '__asm__(".symver old_callee, callee@V1"); void old_callee(void) {}', ("-Wl,--version-script=v.map",)),
    Case("libmath.so", "", ("-Wl,-soname,libm.so.6",)),
    Case("libvector.so", "", ("-Wl,-soname,libmvec.so.1",)),
    Case("libslash.so", "", ("-Wl,-soname,/x/musl/none/../deep/libleaf.so",)),
    Case("libempty.so", "", ("-Wl,-soname,",)),
    Case("deep/libleaf.so", "void leaf(void) {}"),
    Case("deep/libbranch.so", "void leaf(void); void branch(void) { leaf(); }", ("-Ldeep", "-lleaf")),
    Case("deep/libtwice.so", "void twice(void) {}"),
    # What a reference binds to.
    Case("ie-own.so", f"{IE} __thread int variable; {GET}"),
    Case("ie-static.so", f"{IE} static __thread int variable; {GET}"),
    Case("ie-static-after.so", f"{IE} static __thread int variable; {GET} {CALL}", (*HERE, "-ldefiner")),
    Case("ie-elsewhere.so", f"extern {IE} __thread int variable; {GET}", (*HERE, "-ldefiner")),
    Case("gd-elsewhere.so", f"extern __thread int variable; {GET}", (*HERE, "-ldefiner")),
    Case("gd-weak.so", f"extern __attribute__((weak)) __thread int variable; {GET}"),
    Case("descriptor.so", f"__thread int variable; {GET}", ("-mtls-dialect=gnu2",)),
    Case("weak.so", "__attribute__((weak)) void nowhere(void); void f(void) { if (nowhere) nowhere(); }"),
    Case("strong.so", "extern int nowhere; int *pointer = &nowhere; int *get(void) { return &nowhere; }"),
    Case("ifunc-user.so", CALL, (*HERE, "-lifunc")),
    Case("old-user.so", CALL, (*HERE, "-lold", "-Wl,--unresolved-symbols=ignore-all")),
    Case("sysv.so", CALL, (*HERE, "-ldefiner", "-Wl,--hash-style=sysv")),
    *(Case(f"{name}.so", f"void {name}(void); void f(void) {{ {name}(); }}", ("-fno-builtin",)) for name in (*LFS64, *NEWER)),
    Case("needs-z.so", "void deflate(void); void f(void) { deflate(); }", ("-Lalpine", "-lz")),
    Case("needs-more-of-z.so", "void deflated(void); void f(void) { deflated(); }", ("-Lalpine", "-lz", "-Wl,-z,undefs")),
    # Which file a name leads to.
    *(
        Case(
            f"{name}.so",
            "void branch(void); void f(void) { branch(); }",
            ("-Ldeep", "-lbranch", "-Wl,-rpath-link,deep", f"-Wl,{tags},-rpath,{path}"),
        )
        for name, (tags, path) in PATHS.items()
    ),
    Case("twice.so", "", (*HERE, "-Wl,-rpath,$ORIGIN/deep", "-Ldeep", "-ltwice", "-lagain")),
    *(Case(f"{name}.so", "", (*HERE, f"-l{name.removeprefix('needs-')}")) for name in NEEDS),
    # What is mapped.
    Case("exec", "int main(void) { return 0; }", ("-no-pie",)),
    Case("exec-static", "int main(void) { return 0; }", ("-static",)),
    Case("exec-pie", "int main(void) { return 0; }", ("-pie",)),
    Case("stack.so", "int x;", ("-Wl,-z,execstack",)),
    Case("text.so", 'void f(void) {} __asm__(".text\\n.quad f");', ("-Wl,-z,notext",)),
    Case("relr.so", RELR, ("-Wl,-z,pack-relative-relocs",)),
)
LINKS = {"deep/libagain.so": "libtwice.so", "link.so": "rpath.so", "deep/link.so": "../runpath.so"}


def make_cases(directory: Path) -> list[str]:
    """Compile the cases below `directory`, unless they are there; gives their paths, relative to it."""
    target = directory / "musl"
    stamp = target / blake2b(SELF.read_bytes(), digest_size=8).hexdigest()
    if not stamp.exists():
        shutil.rmtree(target, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=".musl.", dir=directory) as work:
            _compile(Path(work, "musl"))
            Path(work, "musl", stamp.name).touch()
            Path(work, "musl").rename(target)
    return [f"musl/{path}" for path in (*(case.path for case in CASES), *LINKS)]


def _compile(root: Path) -> None:
    (root / "deep").mkdir(parents=True)
    (root / "alpine").mkdir()
    (root / "alpine/libz.so").symlink_to("libz.so.1")
    (root / "v.map").write_text("V1 { global: *; };\n", encoding="ascii")
    for link, target in LINKS.items():
        (root / link).symlink_to(target)
    for case in (Case("alpine/libz.so.1", _zlib(), ("-Wl,-soname,libz.so.1", "-fno-builtin")), *CASES):
        kind = () if case.path.startswith("exec") else ("-shared", "-nostdlib", "-fPIC")
        command = ["musl-gcc", "-O1", "-w", *kind, "-o", case.path, "-x", "c", "-", "-x", "none", *case.flags]
        run = subprocess.run(command, cwd=root, input=case.source, capture_output=True, text=True, check=False)
        if run.returncode:
            raise OracleError(f"musl-gcc cannot make {case.path}: {run.stderr.strip().splitlines()[-1]}")


def _zlib() -> str:
    """The source of a libz that defines what Alpine's does, as far as abicheck knows, and does nothing."""
    files = open_host("alpine:3.22").files
    file = files.stat("/lib/libz.so.1")
    assert not isinstance(file, int)
    facts = files.facts(file)
    assert isinstance(facts, SharedObject)
    functions = [name for name, each in facts.definitions.items() if each[0].type == 2]
    return "".join(f"void {name}(void) {{}}\n" for name in functions)
