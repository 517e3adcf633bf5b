"""A host as text and as JSON, one of everything."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from abicheck.model.description import (
    Description,
    Difference,
    LibcFacts,
    LibraryFacts,
    LoaderFacts,
    MachineFacts,
    PolicyFacts,
    PythonFacts,
    SelfCheck,
)
from abicheck.model.host import Assumption
from abicheck.model.report import Tool
from abicheck.report.host import render, render_json

GOLDEN = Path(__file__).parent / "golden" / "host.txt"
SCHEMA: dict[str, Any] = json.loads((files("abicheck.report") / "schema/host.json").read_text(encoding="utf-8"))
LD = "/lib64/ld-linux-x86-64.so.2"
POLICY = PolicyFacts("allowed", None, None, (), ())

TRIXIE = Description(
    tool=Tool("abicheck", "0.1.0"),
    name="rootfs:~/trixie",
    kind="rootfs",
    arch="x86_64",
    libc=LibcFacts("glibc", "2.41", "Debian", "3.2.0", ("GLIBC_ABI_DT_RELR",)),
    loader=LoaderFacts(
        path=LD,
        system_dirs=("/lib/x86_64-linux-gnu/", "/usr/lib/x86_64-linux-gnu/", "/lib/", "/usr/lib/"),
        lib="lib/x86_64-linux-gnu",
        platform="haswell",
        hwcap_subdirs=("glibc-hwcaps/x86-64-v3/", "glibc-hwcaps/x86-64-v2/", "tls/x86_64/", "tls/x86_64/"),
        cache="valid",
        cache_names=1234,
        preload=("libjemalloc.so.2",),
        tunables=("glibc.malloc.check", "glibc.rtld.execstack", "glibc.rtld.nns"),
        execstack_tunable_max=2,
    ),
    machine=MachineFacts("6.12.48", 4096, 3 << 29, 3, protection_keys=True),
    policy=PolicyFacts("refused", None, "Permission denied", ("/home", "/tmp"), ("/home/apps",)),
    environment=(("GLIBC_TUNABLES", "glibc.rtld.nns=2"), ("LD_LIBRARY_PATH", "~/lib\x1b[31m")),
    python=PythonFacts(
        path="/usr/bin/python3",
        real_path="/usr/bin/python3.13t",
        version="3.13",
        free_threaded=True,
        libpython="/lib/x86_64-linux-gnu/libpython3.13t.so.1.0",
        problem=None,
        objects=(LD, "/lib/x86_64-linux-gnu/libpython3.13t.so.1.0", "/lib/x86_64-linux-gnu/libc.so.6"),
        stack_executable=False,
        static_tls_left=1696,
        static_tls_optional=512,
    ),
    no_python=None,
    libraries=(
        LibraryFacts("libstdc++.so.6", "/usr/lib/libstdc++.so.6", ("CXXABI_1.3.15", "GLIBCXX_3.4.33"), None),
        LibraryFacts("libgcc_s.so.1", "/usr/lib/libgcc_s.so.1", (), "/usr/lib/libgcc_s.so.1: undefined symbol: x"),
        LibraryFacts("libgomp.so.1", None, (), "libgomp.so.1: cannot open shared object file: No such file or directory"),
    ),
    assumptions=(Assumption("selinux", "off"), Assumption("seccomp", "refuses the loader nothing")),
    self_check=SelfCheck(
        libraries=("libc.so.6", "libm.so.6"),
        absent=("libnsl.so.1",),
        symbols=4603,
        differences=(
            Difference("libc.so.6", "GLIBC_PRIVATE", (), ("__a", "__b"), "what glibc's own libraries share among themselves"),
            Difference("libm.so.6", "GLIBC_PRIVATE", (), ("__c",), "what glibc's own libraries share among themselves"),
            Difference("libm.so.6", "GLIBC_2.29", ("exp", "log"), ("mine",), None),
            Difference("libm.so.6", "", (), tuple(f"f{number}" for number in range(12)), None),
        ),
    ),
)


def _line(host: Description, name: str) -> str:
    """What the text says of one fact, up to the next one's name."""
    text = render(host, colour=False)
    start = text.index(f"\n  {name} ") + 1
    lines = text[start:].splitlines()
    told = [lines[0], *lines[1:][: next((n for n, line in enumerate(lines[1:]) if not line.startswith(" " * 20)), len(lines))]]
    return "\n".join(line[20:] for line in told)


def test_the_text_is_the_golden_one() -> None:
    assert render(TRIXIE, colour=False) == GOLDEN.read_text(encoding="utf-8")


def test_colour_changes_no_word() -> None:
    assert re.sub(r"\x1b\[[0-9;]*m", "", render(TRIXIE, colour=True)) == render(TRIXIE, colour=False)


@pytest.mark.parametrize(
    ("changes", "name", "told"),
    [
        ({"policy": POLICY}, "Executable stack", "a library that asks for one gets it, and then every stack"),
        (
            {"policy": POLICY._replace(exec_stack="denied", exec_stack_errno="Permission denied")},
            "Executable stack",
            "the system refuses it: Permission denied",
        ),
        (
            {"policy": POLICY._replace(exec_stack="ignored")},
            "Executable stack",
            "a library that asks for one loads, and does not get it",
        ),
        (
            {"loader": TRIXIE.loader._replace(execstack_tunable_max=1)},
            "Executable stack",
            "dlopen refuses a library that asks for one (glibc 2.41)",
        ),
        (
            {"python": TRIXIE.python and TRIXIE.python._replace(stack_executable=True)},
            "Executable stack",
            "the stack of a fresh Python is executable already",
        ),
        (
            {"python": TRIXIE.python and TRIXIE.python._replace(problem="exit 127: gone")},
            "Python",
            "it does not start: exit 127: gone",
        ),
        ({"python": TRIXIE.python and TRIXIE.python._replace(static_tls_left=None)}, "Its static TLS", "nothing for what"),
        (
            {"python": TRIXIE.python and TRIXIE.python._replace(libpython=None)},
            "Python",
            "the interpreter is in the program itself",
        ),
        ({"python": None, "no_python": "there is no python3"}, "Python", "none: there is no python3"),
        ({"policy": POLICY}, "Text relocations", "allowed"),
        ({"policy": POLICY}, "Mounts", "none is noexec"),
        ({"environment": ()}, "Environment", "no LD_* variable, no GLIBC_TUNABLES"),
        ({"loader": TRIXIE.loader._replace(cache="absent")}, "ld.so.cache", "none: the loader searches only"),
        ({"loader": TRIXIE.loader._replace(cache="invalid")}, "ld.so.cache", "damaged: the loader ignores it"),
        ({"machine": TRIXIE.machine._replace(memory=None, isa_level=0)}, "Machine", "one mapping may have any size"),
        ({"self_check": None}, "Self-check", "no table of glibc 2.41 is built in"),
        (
            {"self_check": SelfCheck(("libc.so.6",), (), 7, ())},
            "Self-check",
            "1 library with the 7 symbols that glibc 2.41 has: as upstream released them",
        ),
    ],
)
def test_what_each_fact_means(changes: dict[str, Any], name: str, told: str) -> None:
    changed = TRIXIE._replace(**changes)
    assert told in _line(changed, name)
    assert told not in _line(TRIXIE, name) or told.startswith("dlopen refuses")
    jsonschema.validate(json.loads(render_json(changed)), SCHEMA)


def test_a_library_that_another_value_of_the_tunable_would_let_in() -> None:
    assert _line(TRIXIE, "Executable stack").endswith("not under GLIBC_TUNABLES=glibc.rtld.execstack=2")
    changed = TRIXIE._replace(loader=TRIXIE.loader._replace(execstack_tunable_max=1))
    assert "GLIBC_TUNABLES" not in _line(changed, "Executable stack")


def test_what_only_some_hosts_have() -> None:
    bare = TRIXIE._replace(
        libc=TRIXIE.libc._replace(kind="musl", version="1.2.5"),
        loader=TRIXIE.loader._replace(preload=(), cache="unused"),
        machine=TRIXIE.machine._replace(isa_level=0),
    )
    for name in ("Its tokens", "Tunables", "ld.so.preload", "CPU level"):
        assert name in render(TRIXIE, colour=False)
        assert name not in render(bare, colour=False)


def test_json() -> None:
    plain = json.loads(render_json(TRIXIE))
    jsonschema.validate(plain, SCHEMA)
    assert plain["environment"]["GLIBC_TUNABLES"] == "glibc.rtld.nns=2"
    assert plain["python"]["static_tls_left"] == 1696
    assert plain["self_check"]["differences"][2] == {
        "library": "libm.so.6",
        "node": "GLIBC_2.29",
        "lacks": ["exp", "log"],
        "adds": ["mine"],
        "explanation": None,
    }
    assert "\x1b" not in render(TRIXIE, colour=False)
