"""Matrices: what is expanded to which cells, and that each mistake is named by its key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from abicheck.errors import TargetError
from abicheck.model.confirm import Cell, Matrix, MatrixHost, Sweep
from abicheck.read.matrix import read_matrix

MATRICES = Path(__file__).parents[2] / "matrices"
LEAST = """schema_version = 1
hosts.trixie.image = "debian:trixie-slim"
[[cells]]
hosts = ["trixie"]
pythons = ["3.12"]
subject = "faster-whisper"
versions = ["1.2.1"]
"""
FULL = """schema_version = 1
name = "all"
dockerfile = "../containers/Dockerfile"
base_script = "/opt/make_base.py"
seconds = 30

[hosts.old]
image = "debian:bullseye-slim"
base = ["--name", "old"]
pythons = { "3.12" = "/opt/python3.12" }

[hosts."arm-2.41"]
kind = "emulated"
arch = "aarch64"
base = ["--name", "arm"]
predict = "debian:13"
rolling = true

[[cells]]
hosts = ["arm-2.41", "old"]
pythons = ["3.9", "3.12"]
subject = "ctranslate2"
versions = ["4.5.0", "4.4.0"]
beside = [["faster-whisper==1.2.1", "av<19"], ["faster-whisper==1.0.3"]]
imports = ["ctranslate2", "faster_whisper"]

[[cells]]
hosts = ["old"]
pythons = ["3.9"]
subject = "ctranslate2"
versions = ["4.4.0"]
do = "import"
remedy = "set-tunable"
settings = { GLIBC_TUNABLES = "glibc.rtld.execstack=2" }
seconds = 2.5
override = true
clips = 2
"""


def _read(directory: Path, content: str | bytes) -> Matrix:
    file = directory / "least.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_matrix(str(file))


def test_the_least_that_a_matrix_has(tmp_path: Path) -> None:
    name = "trixie/python3.12/faster-whisper-1.2.1"
    assert _read(tmp_path, LEAST) == Matrix(
        "least",
        (MatrixHost("trixie", image="debian:trixie-slim"),),
        (Cell(name, "trixie", "3.12", ("faster-whisper==1.2.1",), ("faster_whisper",)),),
    )


def test_all_that_a_matrix_can_have(tmp_path: Path) -> None:
    matrix = _read(tmp_path, FULL)
    assert matrix.name == "all"
    assert matrix.dockerfile == str(tmp_path.parent / "containers" / "Dockerfile")
    assert matrix.base_script == "/opt/make_base.py"
    assert matrix.hosts == (
        MatrixHost("old", "container", "x86_64", "debian:bullseye-slim", ("--name", "old"), (("3.12", "/opt/python3.12"),)),
        MatrixHost("arm-2.41", "emulated", "aarch64", None, ("--name", "arm"), (), "debian:13", rolling=True),
    )
    assert matrix.cells[0].requirements == ("ctranslate2==4.5.0", "faster-whisper==1.2.1", "av<19")
    assert (matrix.cells[0].deed, matrix.cells[0].seconds) == ("transcribe", 30.0)
    assert matrix.cells[-1] == Cell(
        "old/python3.9/ctranslate2-4.4.0/set-tunable",
        "old",
        "3.9",
        ("ctranslate2==4.4.0",),
        ("ctranslate2",),
        "import",
        "set-tunable",
        (("GLIBC_TUNABLES", "glibc.rtld.execstack=2"),),
        2.5,
        override=True,
        clips=2,
    )


def test_groups_are_expanded_by_host_python_version_and_companions(tmp_path: Path) -> None:
    expected = [
        f"{host}/python{python}/ctranslate2-{version}+faster-whisper-{companion}"
        for host in ("arm-2.41", "old")
        for python in ("3.9", "3.12")
        for version in ("4.5.0", "4.4.0")
        for companion in ("1.2.1", "1.0.3")
    ]
    cells = _read(tmp_path, FULL).cells
    assert [cell.name for cell in cells] == [*expected, "old/python3.9/ctranslate2-4.4.0/set-tunable"]
    assert all(cell.name.startswith(f"{cell.host}/python{cell.python}/") for cell in cells)


def test_no_companions_are_one_set_of_none(tmp_path: Path) -> None:
    assert _read(tmp_path, LEAST + "beside = []\n") == _read(tmp_path, LEAST)


@pytest.mark.parametrize(("name", "least"), [("ctranslate2", 100), ("aarch64", 2), ("musl", 8)])
def test_the_matrices_that_are_kept_here_can_be_read(name: str, least: int) -> None:
    matrix = read_matrix(str(MATRICES / f"{name}.toml"))
    assert matrix.name == name
    assert len(matrix.cells) >= least
    assert len({cell.name for cell in matrix.cells}) == len(matrix.cells)
    assert len({cell._replace(name="") for cell in matrix.cells}) == len(matrix.cells)
    assert {cell.host for cell in matrix.cells} == {host.name for host in matrix.hosts}
    for file in filter(None, (matrix.dockerfile, matrix.base_script)):
        assert Path(file).is_file()


def test_all_matrices_that_are_kept_here_are_tested() -> None:
    assert {path.name for path in MATRICES.iterdir()} == {"ctranslate2.toml", "aarch64.toml", "musl.toml"}


#: The keys of a group that is confirmed.
CELL = ["hosts", "pythons", "subject", "versions", "beside", "imports", "do", "remedy", "settings", "seconds"]
CELL += ["override", "clips"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema_version = 1\n", "", "schema_version: must be 1"),
        ("schema_version = 1", "schema_version = 2", "schema_version: must be 1"),
        ("schema_version = 1", 'schema_version = "1"', "schema_version: must be a number above 0"),
        ("schema_version = 1", "schema_version = true", "schema_version: must be a number above 0"),
        ("[[cells]]", "name = 1\n[[cells]]", "name: must be a string"),
        ("[[cells]]", "dockerfile = []\n[[cells]]", "dockerfile: must be a string"),
        ("[[cells]]", "seconds = 0\n[[cells]]", "seconds: must be a number above 0"),
        ("[[cells]]", "seconds = nan\n[[cells]]", "seconds: must be a number above 0"),
        ("[[cells]]", "seconds = inf\n[[cells]]", "seconds: must be a number above 0"),
        (
            "[[cells]]",
            "host = 1\n[[cells]]",
            "host: is no key here; there are schema_version, name, seconds, dockerfile, base_script, hosts, cells",
        ),
        ("[[cells]]", "[cells]", "cells: must be a list of tables"),
        ("hosts.trixie.image", "hosts = []\nimage", "hosts: must be a table"),
        ('hosts.trixie.image = "debian:trixie-slim"', "hosts.trixie = 1", "hosts.trixie: must be a table"),
        (
            'hosts.trixie.image = "debian:trixie-slim"',
            "[hosts.trixie]",
            "hosts.trixie.base: is missing; a host needs an image, or what its base is made of",
        ),
        ("[[cells]]", "hosts.trixie.kind = 'vm'\n[[cells]]", "hosts.trixie.kind: 'vm' is none of container, emulated"),
        ("[[cells]]", "hosts.trixie.arch = 'i386'\n[[cells]]", "hosts.trixie.arch: 'i386' is none of x86_64, aarch64"),
        ("[[cells]]", "hosts.trixie.base = 'x'\n[[cells]]", "hosts.trixie.base: must be a list of strings"),
        ("[[cells]]", "hosts.trixie.pythons = [1]\n[[cells]]", "hosts.trixie.pythons: must be a table of strings"),
        ("[[cells]]", "hosts.trixie.pythons.x = 1\n[[cells]]", "hosts.trixie.pythons: must be a table of strings"),
        ("[[cells]]", "hosts.trixie.rolling = 1\n[[cells]]", "hosts.trixie.rolling: must be true or false"),
        ("[[cells]]", "hosts.trixie.predict = 1\n[[cells]]", "hosts.trixie.predict: must be a string"),
        ("[[cells]]", "hosts.trixie.check = 1\n[[cells]]", "hosts.trixie.check: must be a string"),
        (
            "[[cells]]",
            "hosts.trixie.imgae = 'x'\n[[cells]]",
            "hosts.trixie.imgae: is no key here; there are kind, arch, image, base, pythons, predict, check, rolling",
        ),
        ('hosts = ["trixie"]\n', "", "cells[0].hosts: is missing or empty; name at least one"),
        ('hosts = ["trixie"]', "hosts = []", "cells[0].hosts: is missing or empty; name at least one"),
        ('hosts = ["trixie"]', 'hosts = ["sid"]', "cells[0].hosts: 'sid' is none of the hosts of this matrix"),
        ('pythons = ["3.12"]\n', "", "cells[0].pythons: is missing or empty; name at least one"),
        ('pythons = ["3.12"]', "pythons = [3.12]", "cells[0].pythons: must be a list of strings"),
        ('pythons = ["3.12"]', 'pythons = ["3"]', "cells[0].pythons: '3' is no version of Python such as 3.12"),
        ('pythons = ["3.12"]', 'pythons = ["3.9", "3.12.1"]', "cells[0].pythons: '3.12.1' is no version of Python such as 3.12"),
        ('subject = "faster-whisper"\n', "", "cells[0].subject: is missing; name the distribution that it is about"),
        ('"faster-whisper"', '""', "cells[0].subject: is missing; name the distribution that it is about"),
        ('"faster-whisper"', "7", "cells[0].subject: must be a string"),
        ('versions = ["1.2.1"]\n', "", "cells[0].versions: is missing or empty; name at least one"),
        ('"1.2.1"', '"1.2.1", "1.2.1"', "cells[0].versions: trixie/python3.12/faster-whisper-1.2.1 is there twice"),
        ('"faster-whisper"', '"faster whisper"', "cells[0].subject: 'faster whisper' is no name of a distribution"),
        ('"1.2.1"', '"1 2"', "cells[0].versions: 'faster-whisper==1 2' is no requirement that pip takes"),
        ('"1.2.1"', '">=1"', "cells[0].versions: 'faster-whisper==>=1' is no requirement that pip takes"),
        ("versions", "beside = [['a b']]\nversions", "cells[0].beside: 'a b' is no requirement that pip takes"),
        ("versions", "beside = ['a']\nversions", "cells[0].beside: must be a list of lists of strings"),
        ("versions", "imports = 'a'\nversions", "cells[0].imports: must be a list of strings"),
        ("versions", "do = 'run'\nversions", "cells[0].do: 'run' is none of load, import, transcribe"),
        ("versions", "do = 1\nversions", "cells[0].do: must be a string"),
        ("versions", "remedy = 'x'\nversions", "cells[0].remedy: 'x' is none of clear-exec-stack, set-tunable, upgrade"),
        ("versions", "settings = { A = 1 }\nversions", "cells[0].settings: must be a table of strings"),
        ("versions", "seconds = -1\nversions", "cells[0].seconds: must be a number above 0"),
        ("versions", "override = 'yes'\nversions", "cells[0].override: must be true or false"),
        ("versions", "clips = 0\nversions", "cells[0].clips: must be a whole number above 0"),
        ("versions", "clips = true\nversions", "cells[0].clips: must be a whole number above 0"),
        (
            "versions",
            "version = ['1']\nversions",
            f"cells[0].version: is no key here; there are {', '.join(CELL)}",
        ),
        (LEAST, f"{LEAST}[[cells]]\n", "cells[1].hosts: is missing or empty; name at least one"),
        (
            LEAST,
            LEAST + LEAST[LEAST.index("[[cells]]") :],
            "cells[1].versions: trixie/python3.12/faster-whisper-1.2.1 is there twice",
        ),
        (LEAST, "schema_version = 1\ncells = [1]\n", "cells[0]: must be a table"),
        (LEAST, "schema_version = 1\n", "cells: is missing or empty; a matrix needs [[cells]]"),
        (LEAST, "schema_version = 1\ncells = []\n", "cells: is missing or empty; a matrix needs [[cells]]"),
    ],
)
def test_a_mistake_is_named_by_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert LEAST.count(old) == 1
    with pytest.raises(TargetError) as raised:
        _read(tmp_path, LEAST.replace(old, new))
    assert raised.value.message == message
    assert raised.value.subject == str(tmp_path / "least.toml")


@pytest.mark.parametrize("content", ["schema_version = ", "<xml/>", b"name = '\xff'", "a = 1\na = 2\n", b"\x00"])
def test_what_is_no_toml_is_said_to_be_none(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(TargetError, match=r": no TOML: "):
        _read(tmp_path, content)


@pytest.mark.parametrize(("name", "reason"), [("gone.toml", "No such file or directory"), (".", "Is a directory")])
def test_what_cannot_be_opened_is_said_with_the_reason(tmp_path: Path, name: str, reason: str) -> None:
    path = str(tmp_path / name)
    with pytest.raises(TargetError, match=f"^{re.escape(path)}: {reason}; give the path of a matrix$"):
        read_matrix(path)


SWEEP = """schema_version = 1
[[cells]]
do = "check"
subject = "demo"
versions = [">=4.0,<5", "3.1"]
hosts = ["debian:12", "rootfs:/x"]
pythons = ["3.12", "*"]
"""


def test_what_is_only_judged(tmp_path: Path) -> None:
    sweep = Sweep("demo", (">=4.0,<5", "3.1"), ("debian:12", "rootfs:/x"), ("3.12", "*"))
    assert _read(tmp_path, SWEEP) == Matrix("least", (), (), sweeps=(sweep,))
    assert _read(tmp_path, SWEEP.replace('pythons = ["3.12", "*"]\n', "")).sweeps == (sweep._replace(pythons=()),)
    both = _read(tmp_path, LEAST + SWEEP[SWEEP.index("[[cells]]") :])
    assert (len(both.cells), both.sweeps) == (1, (sweep,))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('subject = "demo"\n', "", "subject: is missing; name the distribution that it is about"),
        ('"demo"', '"de mo"', "subject: 'de mo' is no name of a distribution"),
        ('"demo"', '"demo==1"', "subject: 'demo==1' is no name of a distribution"),
        ('"3.1"', '"abc"', "versions: 'abc' is no version and no specifier such as >=4.0"),
        ('"3.1"', '"=3"', "versions: '=3' is no version and no specifier such as >=4.0"),
        ('"3.1"', '"3.1-foo"', "versions: '3.1-foo' is no version and no specifier such as >=4.0"),
        ('"3.1"', '"3.*"', "versions: '3.*' is no version and no specifier such as >=4.0"),
        ('"3.1"', '""', "versions: '' is no version and no specifier such as >=4.0"),
        ('"3.1"', "3.1", "versions: must be a list of strings"),
        ('[">=4.0,<5", "3.1"]', "[]", "versions: is missing or empty; name at least one"),
        ('["debian:12", "rootfs:/x"]', "[]", "hosts: is missing or empty; name at least one"),
        ('["3.12", "*"]', '["3"]', "pythons: '3' is no version of Python such as 3.12"),
        ('["3.12", "*"]', '"*"', "pythons: must be a list of strings"),
        ("subject", "remedy = 'upgrade'\nsubject", "remedy: is no key here; there are do, subject, versions, hosts, pythons"),
        ("subject", "seconds = 5\nsubject", "seconds: is no key here; there are do, subject, versions, hosts, pythons"),
    ],
)
def test_a_mistake_in_what_is_only_judged(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert SWEEP.count(old) == 1
    with pytest.raises(TargetError) as raised:
        _read(tmp_path, SWEEP.replace(old, new))
    assert raised.value.message == f"cells[0].{message}"


def test_only_what_is_judged_takes_any_python(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"pythons: '\*' is no version"):
        _read(tmp_path, LEAST.replace('"3.12"', '"*"'))
