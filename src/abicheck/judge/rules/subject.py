"""What a finding is about, as far as it is known: the words that fill the templates of a page."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.rules import pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.artifact import Distribution
    from abicheck.model.host import Host
    from abicheck.model.report import Confidence, Finding, Severity, Window


class Subject(NamedTuple):
    """Where a finding was made: the host, the distributions of one environment, and the window of what is judged.

    The first distribution is the one whose object was loaded.
    """

    host: Host
    distributions: tuple[Distribution, ...] = ()
    window: Window | None = None

    def owner(self, path: str) -> tuple[Distribution | None, str]:
        """The distribution that holds `path`, and its path on the host.

        Paths are spelled as the loader builds them, with `..` in them. A bare name is what it calls a dependency: the file of
        that name where there is one only, else something that the first distribution needs.
        """
        if "/" in path:
            plain = posixpath.normpath(path)
            return next(((each, plain) for each in self.distributions if plain in each.binaries), (None, path))
        places = [(each, binary) for each in self.distributions for binary in each.binaries if posixpath.basename(binary) == path]
        if len(places) == 1:
            return places[0]
        return (self.distributions[0] if self.distributions else None), path

    def finding(
        self,
        rule: str,
        path: str,
        *,
        evidence: Sequence[str] = (),
        confidence: Confidence = "certain",
        severity: Severity | None = None,
        **more: str | None,
    ) -> Finding:
        """What the page of `rule` says about the object at `path`; `more` are fields that only the rule knows."""
        owner, place = self.owner(path)
        fields = self.words(owner, place) | more
        if owner is not None and not fields.get("fixed"):
            fields["fixed"] = first_fixed(rule, owner, self.host.arch, fields.get("name") or "")
        return pages.finding(rule, fields, evidence=evidence, confidence=confidence, severity=severity)

    def words(self, owner: Distribution | None, path: str) -> dict[str, str | None]:
        """The fields that are known of any object."""
        host = self.host
        glibc = host.libc.kind == "glibc"
        return {
            "object": shown(path, owner),
            "file": posixpath.basename(path),
            "path": path,
            "host": host.name,
            "libc": str(host.libc),
            "glibc": ".".join(map(str, host.libc.version)) if glibc else None,
            "python": ".".join(map(str, host.python.version)) if host.python and host.python.version else None,
            "package": owner.name if owner else None,
            "version": owner.version if owner else None,
            "target": _repairable(owner) if owner else None,
            "window": spelled(self.window),
            "execstack_tunable": "yes" if host.loader.execstack_tunable_max >= 2 else None,
            "tls_tunable": "yes" if glibc and host.libc.version >= (2, 32) else None,
        }


def _repairable(owner: Distribution) -> str | None:
    """What `abicheck repair` takes; None for binaries without metadata. Of a release from an index the name of its wheel."""
    if owner.kind == "wheel":
        return owner.given if owner.given.endswith(".whl") else posixpath.basename(owner.place)
    return owner.name if owner.kind == "distribution" else None


def shown(path: str, owner: Distribution | None) -> str:
    """The path as a reader knows it: below the directory that a distribution is installed in."""
    root = f"{owner.scheme.library}/" if owner else ""
    return path[len(root) :] if root and path.startswith(root) else path


def spelled(window: Window | None) -> str | None:
    """A window in words: `glibc 2.17 to 2.40`."""
    if window is None or not (window.glibc_min or window.glibc_max):
        return None
    if window.glibc_max is None:
        return f"glibc {window.glibc_min} and newer"
    return f"glibc {window.glibc_min} to {window.glibc_max}" if window.glibc_min else f"glibc up to {window.glibc_max}"


def first_fixed(rule: str, owner: Distribution, arch: str, name: str) -> str | None:
    """The first version of `owner` without what `rule` found, where fixed.toml knows it and `owner` is older."""
    return first_fixed_of(owner.name, owner.version, rule, arch, name)


def first_fixed_of(package: str, version: str, rule: str, arch: str, name: str) -> str | None:
    """The same for a package by its normalized name (PEP 503)."""
    for fact in pages.data("fixed.toml")["fixed"]:
        names = fact.get("names")
        if (
            fact["package"] == package
            and rule in fact["rules"]
            and fact.get("arch", arch) == arch
            and (names is None or name.startswith(tuple(names)))
            and _lies_between(version, fact.get("since", "0"), fact["fixed"])
        ):
            return str(fact["fixed"])
    return None


def _lies_between(version: str, since: str, fixed: str) -> bool:
    from packaging.version import Version  # noqa: PLC0415 -- for the few findings with a known remedy

    try:
        return Version(since) <= Version(version) < Version(fixed)
    except ValueError:  # no version (InvalidVersion), or too long a number in it
        return False


def install_command(library: str, host: Host) -> str | None:
    """The command that installs the package with `library` on `host`, where providers.toml knows it."""
    return command_of("apk" if host.libc.kind == "musl" else "apt" if host.loader.vendor in ("Debian", "Ubuntu") else "", library)


def command_of(manager: str, library: str) -> str | None:
    """The command of `apt` or `apk` that installs the package with `library`, where providers.toml knows it."""
    package = pages.data("providers.toml").get(library, {}).get(manager)
    if package is None:
        return None
    return f"apk add {package}" if manager == "apk" else f"apt-get install {package}"
