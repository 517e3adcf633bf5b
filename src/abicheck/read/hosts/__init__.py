"""Hosts: a name on the command line to a machine as its loader sees it."""

from __future__ import annotations

import os
import posixpath
import sys
from errno import EACCES
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, get_args

from abicheck.errors import HostError, UsageError
from abicheck.model.host import Arch, Assumption, Host, Interpreter, Policy
from abicheck.read.files import Disk, FactStore, Root
from abicheck.read.hosts.interpreter import ROOT_PATH, find_interpreter
from abicheck.read.hosts.machine import (
    ELSEWHERE,
    environment,
    live_assumptions,
    live_policy,
    root_assumptions,
)
from abicheck.read.hosts.tree import KNOWN_LOADERS, read_tree
from abicheck.read.runtimes import is_runtime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.files import Files
    from abicheck.model.host import HostKind, LibcKind
    from abicheck.read.hosts.tree import Tree

__all__ = ["Wanted", "open_host"]

_NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_KINDS = (
    "local (this machine), rootfs:DIR (a root file system in a directory), "
    "image:FILE[/MACHINE] (a saved image or an OCI layout), container:IMAGE (an image of Docker or Podman), "
    "dockerfile:PATH (what a Dockerfile builds upon), "
    "FILE.json (a saved profile), FILE.txt (what the script of `abicheck host --script` wrote), "
    "a distribution (abicheck host --list), "
    "for WebAssembly modules a runtime (node, node:20, chrome:120, firefox:120, safari:17.4)"
)


class Wanted(NamedTuple):
    """The Python that a host is to be asked with: `X.Y`, a path there, or None for its own; `may_lack` one that it has not.

    `libc` decides where the Python is lacking and the host has loaders of both kinds.
    """

    python: str | None = None
    may_lack: bool = False
    libc: LibcKind | None = None


def open_host(
    spec: str,
    *,
    python: str | Wanted | None = None,
    settings: Mapping[str, str] = _NO_SETTINGS,
    store: FactStore | None = None,
    name: str | None = None,
) -> Host:
    """The host that `spec` names.

    `python` is the target Python, `settings` stand over the environment. Hosts of one run share a `store`, so that each file is
    read once. `name` is what the host is called, where that is not `spec`.
    """
    name = name or spec
    python = python if isinstance(python, Wanted) else Wanted(python)
    store = store or FactStore()
    kind, _, rest = spec.partition(":")
    if is_runtime(spec):
        raise UsageError(f"{spec} is a runtime for WebAssembly modules, and abicheck check of a module is all that takes one")
    try:
        if spec == "local":
            return _local(python, settings, store)
        if kind == "rootfs" and rest:
            return _rootfs(name, rest, python, settings, store)
        if kind == "image" and rest:
            return _image(name, rest, python, settings, store)
        if (kind == "collected" and rest) or (kind != "profile" and spec.endswith(".txt")):
            return _collected(spec, rest if kind == "collected" else spec, python, settings, store)
        if (kind == "profile" and rest) or spec.endswith(".json"):
            from abicheck.read.hosts.profile import open_profile  # noqa: PLC0415 -- few hosts are one

            return open_profile(spec, rest if kind == "profile" else spec, python, settings, store)
        from abicheck.read.hosts.distributions import open_distribution  # noqa: PLC0415 -- for those who name one

        if (found := open_distribution(spec, python, settings, store)) is not None:
            return found._replace(name=name)
    except HostError as error:
        raise HostError(error.message, name) from None
    from abicheck.read.hosts.catalogue import nearest  # noqa: PLC0415 -- as above

    alike = f"; did you mean {' or '.join(nearest(spec))}" if nearest(spec) else ""
    raise UsageError(f"unknown host {spec!r}{alike}; there are: {_KINDS}")


def _local(wanted: Wanted, settings: Mapping[str, str], store: FactStore) -> Host:
    """The machine as a program started from here would meet it."""
    if sys.platform != "linux":
        raise HostError(f"this machine is {sys.platform} and has no Linux loader; use --host rootfs:DIR")
    files = Disk(store)
    variables = environment(settings, os.environ)
    own = "{}.{}{}".format(*sys.version_info[:2], "t" if "t" in sys.abiflags else "")
    if wanted.python in (None, own) and sys.executable:
        interpreter = Interpreter(sys.executable, sys.version_info[:2], free_threaded="t" in sys.abiflags)
    else:
        python = os.path.abspath(wanted.python) if wanted.python and "/" in wanted.python else wanted.python
        path = os.environ.get("PATH", os.defpath).split(os.pathsep)
        interpreter = find_interpreter(files, python, path, may_lack=wanted.may_lack)
    tree = read_tree(files, interpreter)
    return _host("local", "local", files, tree, interpreter)._replace(
        environment=variables,
        policy=live_policy(),
        cwd=os.getcwd(),
        assumptions=live_assumptions(),
    )


def _rootfs(name: str, directory: str, wanted: Wanted, settings: Mapping[str, str], store: FactStore) -> Host:
    """The root file system in `directory`, run on this machine as a container is."""
    if not os.path.isdir(directory):
        raise HostError(f"{directory} is no directory; give the directory that holds the root's /usr and /lib")
    files = Root(directory, store)
    python = wanted.python
    if python is not None and "/" in python and (inside := files.inner(posixpath.dirname(python))) is not None:
        python = posixpath.join(inside, posixpath.basename(python))
    return _rooted(name, "rootfs", files, wanted._replace(python=python), environment(settings, {}), ROOT_PATH)


def _image(name: str, given: str, wanted: Wanted, settings: Mapping[str, str], store: FactStore) -> Host:
    """An image in a file, run on this machine with the environment that it sets."""
    image = store.images.get(given)
    if image is None:
        from abicheck.read.images import open_image  # noqa: PLC0415 -- only for those who have one

        image = store.images[given] = open_image(*_machine_of(given))
    directories = [each for each in image.environment.get("PATH", "").split(":") if each.startswith("/")]
    variables = environment(settings, image.environment)
    host = _rooted(name, "image", Root(image.files, store), wanted, variables, directories or ROOT_PATH)
    platform = (Assumption("platform", image.platforms),) if image.platforms else ()
    return host._replace(cwd=image.directory, assumptions=(*host.assumptions, *platform))


def _machine_of(given: str) -> tuple[str, Arch | None]:
    """A path, and the machine that is asked for behind it, as in `image.tar/aarch64`; what has the whole name is no such."""
    path, _, last = given.rpartition("/")
    if os.path.exists(given) or not (os.path.isfile(path) or os.path.isfile(f"{path}/index.json")):
        return given, None
    machines: tuple[Arch, ...] = get_args(Arch)
    found = next((each for each in machines if each == last), None)
    if found is None:
        raise UsageError(f"image:{given}: no machine is called {last!r}; there are {', '.join(machines)}")
    return path, found


def _rooted(
    name: str, kind: HostKind, files: Root, wanted: Wanted, variables: Mapping[str, str], directories: Sequence[str]
) -> Host:
    """A root whose Python is found in `directories`, as a container on this machine would run it."""
    if wanted.python is None and all(isinstance(files.stat(loader), int) for loader in KNOWN_LOADERS):
        what = "an image that has one" if kind == "image" else "an unpacked root file system"
        raise HostError(f"no C library in it (none of {', '.join(KNOWN_LOADERS)}); give {what}")
    interpreter = find_interpreter(files, wanted.python, directories, may_lack=wanted.may_lack)
    tree = read_tree(files, interpreter, wanted.libc)
    return _host(name, kind, files, tree, interpreter)._replace(
        environment=variables, assumptions=root_assumptions(tree.machine, variables)
    )


def _collected(spec: str, path: str, wanted: Wanted, settings: Mapping[str, str], store: FactStore) -> Host:
    """The host that the script collected, as its own root on its own machine."""
    from abicheck.read.hosts.collected import read_collected  # noqa: PLC0415 -- few hosts are one

    found = read_collected(path, wanted, store)
    tree = read_tree(found.files, found.interpreter, wanted.libc, found.machine)
    assumed = root_assumptions(tree.machine, {**found.environment, **settings})
    known = ("kernel", "page-size", "memory", "cpu", "noexec-mounts", "environment") if found.live else ()
    return _host(spec, "collected", found.files, tree, found.interpreter)._replace(
        environment=environment(settings, found.environment),
        policy=Policy(
            exec_stack=EACCES if "selinuxuser_execstack" in found.selinux else 0,
            text_relocation=EACCES if "selinuxuser_execmod" in found.selinux else 0,
            exec_mapping=found.noexec,
        ),
        assumptions=(*(each for each in assumed if each.fact not in known), ELSEWHERE),
    )


def _host(name: str, kind: HostKind, files: Files, tree: Tree, python: Interpreter) -> Host:
    return Host(
        name=name,
        kind=kind,
        arch=tree.arch,
        libc=tree.libc,
        files=files,
        loader=tree.loader,
        kernel=tree.machine.kernel,
        page_size=tree.machine.page_size,
        memory=tree.machine.memory,
        isa_level=tree.machine.cpu.level,
        protection_keys=tree.machine.cpu.protection_keys,
        python=python,
    )
