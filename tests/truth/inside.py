"""`python -m tests.truth.inside`: what abicheck says in a real container, beside what it says outside of what was saved there.

On each host of matrices/ctranslate2.toml, in a Docker container: abicheck saves a profile and judges objects of the corpus as
`local`, where the host has a Python that it runs on; the collecting script is run by Debian's own shell and by BusyBox. Outside
the same objects are judged with the profile, with what the scripts collected, and with the root file system; and the wheels of
the matrix with what was collected. Verdict and text must be equal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

import abicheck
from abicheck.act.engine import Engine, Limits
from abicheck.errors import EngineError
from containers.make_root import RootError
from tests.truth import inside_driver
from tests.truth.corpus import corpus, stratified
from tests.truth.inside_matrix import compared
from tests.truth.roots import MOUNT_POINT, Host
from tests.truth.shells import Shell, open_shell
from tests.truth.wheels import WheelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.truth.corpus import Corpus

HOSTS = ("glibc-2.31", "glibc-2.36", "glibc-2.41", "glibc-2.43", "glibc-2.44")
#: Those that are asked by default: one by the script alone, and one where glibc refuses executable stacks.
SOME_HOSTS = ("glibc-2.31", "glibc-2.41")
SOME = 900
#: The oldest Python that abicheck runs on.
OLDEST = (3, 10)
LIMITS = Limits(seconds=600)
#: The shells that run the script, each with its PATH: Debian's with coreutils and mawk, and BusyBox with nothing but its applets.
SHELLS = {"dash": (("/bin/sh",), "/usr/bin:/bin"), "busybox": (("/bin/busybox", "sh"), "/x/applets")}
APPLETS = ("awk", "base64", "cat", "dd", "getconf", "grep", "ls", "od", "readlink", "sort", "tr", "uname")

Answers = dict[str, tuple[str, str | None]]


class Row(NamedTuple):
    """One view of a host beside the first of its views: what differs, of how many objects."""

    host: str
    view: str
    asked: int
    fails: int
    depends: int
    differences: tuple[str, ...]


class Asked:
    """One host in its container, and what is kept of it in the directory `work`."""

    def __init__(self, engine: Engine, name: str, shell: Shell, work: Path) -> None:
        self._engine, self.name, self.shell, self._work = engine, name, shell, work
        self.python = ".".join(map(str, shell.python))

    def inside(self, objects: Sequence[str], directory: Path) -> tuple[Path, Answers]:
        """The profile that abicheck saves in the container, and what it says there."""
        listing = self._work / "objects.json"
        listing.write_text(json.dumps(list(objects)), encoding="utf-8")
        mounts = {
            inside_driver.__file__: "/x/driver.py",
            str(listing): "/x/objects.json",
            # The package as it lies here, and what it needs; all of that is pure Python.
            str(Path(abicheck.__file__).parents[1]): "/x/source",
            sysconfig.get_path("purelib"): "/x/packages",
            # The same path as here, for texts tell it.
            str(directory): str(directory),
        }
        said = json.loads(self._run([f"/usr/bin/python{self.python}", "/x/driver.py", "/x/objects.json"], mounts))
        profile = self._work / f"{self.name}.json"
        profile.write_text(said["profile"], encoding="utf-8")
        return profile, {path: (verdict, text) for path, (verdict, text) in said["answers"].items()}

    def collected(self, name: str) -> Path:
        """What the script collects, run in the container by the shell of this name."""
        script, found = self._work / "collect.sh", self._work / f"{self.name}-{name}.txt"
        inside_driver.abicheck("host", "--script", "-o", str(script))
        applets = self._work / "applets"
        applets.mkdir(exist_ok=True)
        for applet in APPLETS:
            if not (applets / applet).is_symlink():
                (applets / applet).symlink_to("/bin/busybox")
        command, path = SHELLS[name]
        mounts = {str(script): "/x/collect.sh", str(applets): "/x/applets"}
        found.write_text(self._run([*command, "/x/collect.sh"], mounts, PATH=path), encoding="utf-8")
        return found

    def _run(self, command: Sequence[str], mounts: Mapping[str, str], **variables: str) -> str:
        environment = {"PYTHONPATH": "/x/source:/x/packages", "PYTHONDONTWRITEBYTECODE": "1", **variables}
        run = self._engine.run(self.shell.image, command, mounts=tuple(mounts.items()), environ=environment, limits=LIMITS)
        if run.returncode:
            raise EngineError(f"{command[0]} ended with {run.returncode} in its container: {run.stderr[-2000:]}", self.name)
        return run.stdout


def rows(asked: Asked, objects: Sequence[str], directory: Path) -> Iterator[Row]:
    """All views of one host beside the first, which is abicheck inside where it can be run there."""
    views: dict[str, str] = {"root file system": f"rootfs:{asked.shell.root}"}
    answers: dict[str, Answers] = {}
    if asked.shell.python >= OLDEST:
        profile, answers["inside"] = asked.inside(objects, directory)
        views["profile"] = str(profile)
    collected = {name: asked.collected(name) for name in SHELLS}
    views |= {f"script, {name}": str(path) for name, path in collected.items()}
    for view, spec in views.items():
        answers[view] = inside_driver.answers(list(objects), "--host", spec, "--python", asked.python)
    expected = next(iter(answers.values()))
    for view, found in answers.items():
        pairs = ((path, expected.get(path), found.get(path)) for path in objects)
        different = tuple(f"{path}: {one}, {view}: {other}" for path, one, other in pairs if one != other)
        verdicts = [verdict for verdict, _ in found.values()]
        yield Row(asked.name, view, len(objects), verdicts.count("fails"), verdicts.count("depends"), different)
    for name, judged in zip(collected, compared(asked.name, asked.shell.root, tuple(collected.values())), strict=True):
        yield Row(asked.name, f"matrix, {name}", *judged)


def chosen(objects: Corpus, *, full: bool) -> list[str]:
    """The files that the corpus has for x86-64 (what is searched by name is left out): all, or about `SOME` of them."""
    host = Host(name="glibc-9.9", root=Path("/none"), rolling=False)
    subjects = [each for each in objects.of(host) if each.path.startswith(f"{MOUNT_POINT}/") and "\t" not in each.path]
    if not full:
        wheels = [each for each in subjects if each.family.startswith("wheel")]
        rest = [each for each in subjects if not each.family.startswith("wheel")]
        subjects = [*wheels, *stratified({"": rest}, SOME - len(wheels))[""]]
    paths = [f"{objects.directory}/{each.path.removeprefix(MOUNT_POINT + '/')}" for each in subjects]
    return sorted({path for path in paths if os.path.isfile(path)})


@click.command()
@click.option("--full", is_flag=True, help=f"All hosts and all objects, not {' and '.join(SOME_HOSTS)} and about {SOME} objects.")
@click.option("--host", "hosts", multiple=True, type=click.Choice(HOSTS), help="These hosts only.")
def main(*, full: bool, hosts: tuple[str, ...]) -> None:
    """Compare abicheck in containers with abicheck outside."""
    different = False
    try:
        engine = Engine.find("docker")
        objects = corpus()
        paths = chosen(objects, full=full)
        click.echo(f"{'host':12}{'view':26}{'objects':>8}{'fail':>6}{'depend':>8}{'differ':>8}")
        for name in hosts or (HOSTS if full else SOME_HOSTS):
            with tempfile.TemporaryDirectory(prefix="abicheck-inside-") as work:
                Path(work).chmod(0o755)  # user 1000 reads it in the container
                for row in rows(Asked(engine, name, open_shell(name, engine), Path(work)), paths, objects.directory):
                    click.echo(f"{name:12}{row.view:26}{row.asked:8}{row.fails:6}{row.depends:8}{len(row.differences):8}")
                    for difference in row.differences[:20]:
                        click.echo(f"  {difference}")
                    different |= bool(row.differences)
    except (EngineError, RootError, WheelError, RuntimeError, subprocess.SubprocessError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(different)


if __name__ == "__main__":
    main()
