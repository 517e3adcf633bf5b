"""Hosts saved and collected: the same verdicts as on the host itself, and what becomes of a profile that makes no sense."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from abicheck.api import Options, check, describe
from abicheck.api.hosts import collecting_script
from abicheck.api.profiles import save
from abicheck.errors import HostError, UsageError
from abicheck.judge import loader
from abicheck.judge.verdict import judge
from abicheck.model.elf import Malformed
from abicheck.read.hosts import Wanted, collected, open_host, profile
from abicheck.read.hosts.profile import snapshot
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abicheck.model.host import Host

SCHEMA = json.loads(files("abicheck.report").joinpath("schema", "profile.json").read_text())
OPTIONS = Options(stored=False)


@pytest.fixture(scope="module")
def saved(machine_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The profile of the machine's root."""
    path = tmp_path_factory.mktemp("profile") / "prod.json"
    path.write_text(save(f"rootfs:{machine_root}").text, encoding="utf-8")
    return path


def _verdicts(spec: str, *targets: str) -> list[tuple[str, str | None, int, int]]:
    report = check(targets, [spec], options=OPTIONS)
    assert not report.errors
    return [(each.verdict, each.predicted, each.objects, each.references) for each in report.results]


def test_a_profile_follows_its_schema_and_loses_no_file(saved: Path, machine_root: Path) -> None:
    plain = json.loads(saved.read_text(encoding="utf-8"))
    jsonschema.validate(plain, SCHEMA)
    assert plain["left_out"] == {}
    assert save(f"rootfs:{machine_root}").text == saved.read_text(encoding="utf-8")


def test_a_profile_gives_the_verdicts_of_its_host(saved: Path, machine_root: Path, extension: Path) -> None:
    assert _verdicts(str(saved), str(extension)) == _verdicts(f"rootfs:{machine_root}", str(extension))
    assert _verdicts(f"profile:{saved}", str(extension))[0][0] == "loads"
    here, there = describe(f"rootfs:{machine_root}"), describe(str(saved))
    assert (there.kind, there.libc, there.loader, there.python) == ("profile", here.libc, here.loader, here.python)
    assert there.libraries == here.libraries


def test_what_a_profile_leaves_out_makes_a_verdict_depend(machine_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    whole = json.loads(save(f"rootfs:{machine_root}").text)
    host = _opened(path, whole)
    assert host.python is not None
    started, process = loader.start(host, host.python.path, loader.Memo())
    loaded = {host.files.resolve(each.path) for each in started.objects if each.path}
    name = next(name for name in whole["files"] if ".so" in name and name.startswith("/") and name not in loaded)
    whole["left_out"][name] = whole["files"].pop(name)["size"]
    link_map, after = loader.dlopen(process, name, _opened(path, whole), loader.Memo())
    assert (link_map.errors, after) == ((), process)
    assert [each.reason for each in link_map.missing] == [f"{name} is there, but its facts are not in the profile"]
    assert judge(link_map, "library", host).verdict == "depends"


def _opened(path: Path, plain: dict[str, Any]) -> Host:
    path.write_text(json.dumps(plain), encoding="utf-8")
    return open_host(str(path))


def test_a_python_that_needs_what_is_left_out_cannot_be_judged_on(machine_root: Path, extension: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    whole = json.loads(save(f"rootfs:{machine_root}").text)
    for name in [name for name in whole["files"] if name.rpartition("/")[2].startswith(("libc.so", "libc-"))]:
        whole["left_out"][name] = whole["files"].pop(name)["size"]
    path.write_text(json.dumps(whole), encoding="utf-8")
    (failure,) = check([str(extension)], [str(path)], options=OPTIONS).errors
    assert "its facts are not in the profile" in failure.message
    assert save(f"rootfs:{machine_root}", budget=0).files == 0


def test_what_every_wheel_takes_goes_first(machine_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    encoded = snapshot._encoded

    def noted(files: Any, paths: Any, budget: int) -> Any:
        order.extend(paths)
        return encoded(files, paths, budget)

    monkeypatch.setattr(snapshot, "_encoded", noted)
    save(f"rootfs:{machine_root}")
    names = [name.rpartition("/")[2] for name in order]
    python = next(number for number, name in enumerate(names) if re.fullmatch(r"python3\.\d+", name))
    assert names[0].startswith("ld-")
    assert max(names.index(name) for name in names if re.match(r"(libc|libm|libpthread|libdl)\.so", name)) < python


def test_homes_are_not_told_and_still_lead_somewhere(machine_root: Path, extension: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(machine_root, root, symlinks=True)
    home = root / "home/alice/bin"
    home.mkdir(parents=True)
    (home / "python3").symlink_to("/usr/bin/python3")
    text = save(f"rootfs:{root}", python="/home/alice/bin/python3").text
    assert "alice" not in text
    assert '"~/bin/python3":"/usr/bin/python3"' in text
    path = tmp_path / "prod.json"
    path.write_text(text, encoding="utf-8")
    assert _verdicts(str(path), str(extension))[0][0] == "loads"


@pytest.mark.skipif(not os.path.exists("/bin/sh"), reason="no shell")
def test_the_script_collects_what_the_root_says_of_itself(machine_root: Path, saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "collected.txt"
    run = subprocess.run(
        ["/bin/sh"],
        input=collecting_script(),
        env={"PATH": "/usr/bin:/bin", "ROOT": str(machine_root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    path.write_text(run.stdout, encoding="utf-8")
    collected, own = json.loads(save(str(path)).text), json.loads(saved.read_text(encoding="utf-8"))
    assert collected["host"].pop("source") == "collected"
    assert own["host"].pop("source") == "rootfs"
    for key in ("host", "left_out"):
        assert collected[key] == own[key]
    assert collected["files"].items() >= {name: each for name, each in own["files"].items() if name.startswith("/lib")}.items()


def _edited(plain: dict[str, Any], edit: Callable[[dict[str, Any]], object]) -> str:
    edit(plain)
    return json.dumps(plain)


def _first(plain: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in plain["files"].values() if each.get(key))
    return found


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda plain: plain.update(schema_version=2),
            "version 2, and this abicheck knows up to 1; update abicheck",
        ),
        (lambda plain: plain.update(schema_version="1"), 'schema_version: a whole number must stand here, not "1"'),
        (lambda plain: plain.pop("links"), 'the profile: the key "links" is missing'),
        (lambda plain: plain.update(more=1), "more: there is no such key"),
        (lambda plain: plain["host"].update(libc="glibc"), "host.libc: a C library and its version must stand here"),
        (lambda plain: plain["host"].update(page_size=5000), "host.page_size: a page is a power of two"),
        (lambda plain: plain["host"]["loader"].update(system_dirs="/lib"), "host.loader.system_dirs: a list must stand here"),
        (lambda plain: plain["links"].update({"/a": 1}), 'links["/a"]: a text must stand here, not 1'),
        (lambda plain: plain["links"].update({"../a": "b"}), 'links["../a"]: its path must begin with a slash'),
        (lambda plain: plain["files"].update({"/x": []}), 'files["/x"]: an object must stand here, not []'),
        (lambda plain: _first(plain, "header").update(header="1 2"), ".header: 6 whole numbers must stand here"),
        (lambda plain: _first(plain, "nodes").update(nodes="GLIBC_2.2.5"), "'GLIBC_2.2.5' is no version like GLIBC_2.2.5:2"),
        (lambda plain: _first(plain, "defines")["defines"].update({"X_1:777": "a"}), "the table of versions has"),
        (lambda plain: _first(plain, "defines")["defines"].update({"-:0 blue": "a"}), "'blue' says nothing of a definition"),
        (lambda plain: _first(plain, "plt").update(plt="malloc@999"), "'malloc@999': there is no version with this index"),
        (
            lambda plain: _first(plain, "dynamic")["dynamic"].update(needed=[0]),
            ".dynamic.needed[0]: a text must stand here",
        ),
    ],
)
def test_nonsense_is_named_by_its_key(saved: Path, tmp_path: Path, edit: Callable[[Any], object], message: str) -> None:
    path = tmp_path / "edited.json"
    path.write_text(_edited(json.loads(saved.read_text(encoding="utf-8")), edit), encoding="utf-8")
    with pytest.raises(HostError) as refused:
        describe(str(path))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("length", [0, 1, 1000, -1, -3])
def test_half_a_profile(saved: Path, tmp_path: Path, length: int) -> None:
    path = tmp_path / "half.json"
    path.write_bytes(saved.read_bytes().rstrip()[:length])
    with pytest.raises(HostError, match=r"no whole JSON \(line \d+\); make the profile anew"):
        describe(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the script of `abicheck host --script` did not write this"),
        ("abicheck-collected\t1\nencoding\tbase64\n", "its end is missing"),
        ("abicheck-collected\t1\nnonsense\nend\n", "line 2 makes no sense"),
        ("abicheck-collected\t1\ntext\tcpuinfo\n@\t0\n*\nend\n", "what stands for bytes of a text is none"),
        ("abicheck-collected\t1\nfile\t/lib/a.so\t3\t4\n@\t0\n*\nend\n", "what stands for bytes of a file is none"),
        ("abicheck-collected\t1\nlink\t../a\tb\nend\n", "'../a' is no path of a host"),
        ("abicheck-collected\t1\nmachine\tmips\nend\n", "its machine is mips"),
    ],
)
def test_a_collection_that_makes_no_sense(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "collected.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(HostError) as refused:
        describe(str(path))
    assert message in str(refused.value)


def test_a_size_that_no_memory_has_is_not_believed(machine_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "collected.txt"
    environment = {"PATH": os.environ["PATH"], "ROOT": str(machine_root)}
    lines = subprocess.run(["sh"], input=collecting_script(), env=environment, capture_output=True, text=True, check=True).stdout
    path.write_text(re.sub(r"^(file\t\S*/libm\S*)\t\d+", r"\1\t4294967295", lines, flags=re.MULTILINE), encoding="utf-8")
    files = open_host(str(path), python=Wanted("3.0", may_lack=True)).files
    found = next(files.stat(each) for each in re.findall(r"^file\t(\S*/libm\S*)\t", lines, re.MULTILINE))
    assert not isinstance(found, int)
    assert files.facts(found) == Malformed("left-out", 4294967295)


def test_no_such_profile() -> None:
    with pytest.raises(HostError, match="No such file or directory; give a profile"):
        describe("/nowhere/prod.json")
    with pytest.raises(HostError, match=r"^collected:/nowhere/prod\.json: .*give a file that the script"):
        describe("collected:/nowhere/prod.json")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no such device")
@pytest.mark.parametrize("kind", ["profile", "collected"])
def test_a_file_without_end(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (profile, collected):
        monkeypatch.setattr(module, "_MAX_SIZE", 1 << 20)
    with pytest.raises(HostError, match=r"more than \d+ MiB; give a "):
        describe(f"{kind}:/dev/zero")


def test_a_built_in_host_needs_no_profile() -> None:
    with pytest.raises(UsageError, match="debian:13 is built in"):
        save("debian:13")


def test_that_other_directories_are_not_known_is_assumed(machine_root: Path, saved: Path) -> None:
    on_profile, on_root = (
        check([str(_broken(saved.parent))], [spec], options=OPTIONS).results[0] for spec in (str(saved), f"rootfs:{machine_root}")
    )
    assert on_profile.verdict == on_root.verdict == "fails"
    assert "packages" in [each.fact for each in on_profile.assumptions]
    assert "packages" not in [each.fact for each in on_root.assumptions]
    (strict,) = check([str(_broken(saved.parent))], [str(saved)], options=OPTIONS._replace(strict=True)).results
    assert strict.verdict == "depends"
    assert "packages" in [each.fact for each in strict.missing_facts]


def _broken(directory: Path) -> Path:
    path = directory / "broken.so"
    path.write_bytes(write_elf(soname="broken.so", needed=["libnowhere.so.1"], runpath="/opt/nowhere"))
    return path
