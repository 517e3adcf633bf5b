"""Pins: what the distributions of a set ask of one that does not load, and which of them must give way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.rules import pages
from abicheck.model.names import has_long_number
from abicheck.model.pins import Pin
from abicheck.model.report import Remedy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from packaging.requirements import Requirement

    from abicheck.model.pins import Choice, Together, Upgrade
    from abicheck.model.report import Confidence, Finding, Result

#: More versions than these are told by the first and the last.
_SHOWN = 8


def find_pins(name: str, together: Together) -> tuple[Pin, ...]:
    """The pins on a distribution (normalized).

    A line of the user's that names a version is the lock's choice and no pin: it is what an upgrade changes.
    """
    lines = [each for each in together.asked if each.name == name and each.version is None and each.specifier]
    pins = [Pin(each.specifier, place=each.place) for each in lines]
    extras = wanted_extras(together)
    for each in together.members:
        specifier = asks(name, each.requires, extras.get(each.name, {""}), together.environment)
        if specifier and each.name != name:
            pins.append(Pin(specifier, each.name, each.version, together.places.get(each.name)))
    return tuple(pins)


def wanted_extras(together: Together) -> dict[str, set[str]]:
    """The extras that are asked for of each distribution, "" for none among them."""
    wanted: dict[str, set[str]] = {}
    for line in together.asked:
        wanted.setdefault(line.name, {""}).update(line.extras)
    known = -1
    while known != (known := sum(map(len, wanted.values()))):
        for each in together.members:
            for requirement in _holding(each.requires, wanted.get(each.name, {""}), together.environment):
                wanted.setdefault(_name(requirement), {""}).update(requirement.extras)
    return wanted


def asks(name: str, requires: Sequence[str], extras: Collection[str], environment: Mapping[str, str]) -> str:
    """What Requires-Dist lines ask of a distribution, as one specifier; "" for anything."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 -- costs 15 ms

    found = SpecifierSet()
    for line in _holding(requires, extras, environment):
        found &= line.specifier if _name(line) == name else SpecifierSet()
    return str(found)


def _holding(requires: Sequence[str], extras: Collection[str], environment: Mapping[str, str]) -> Iterator[Requirement]:
    """The lines whose marker holds; what cannot be read asks for nothing, since no installer can read it either."""
    from packaging.requirements import Requirement  # noqa: PLC0415 -- as above

    for line in requires:
        if has_long_number(line):
            continue
        try:
            requirement = Requirement(line)
            marker = requirement.marker
            holds = marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in extras)
        except ValueError:  # base of all that packaging raises for a bad requirement, marker or version
            continue
        if holds:
            yield requirement


def _name(requirement: Requirement) -> str:
    from packaging.utils import canonicalize_name  # noqa: PLC0415 -- as above

    return canonicalize_name(requirement.name)


def admit(pins: Sequence[Pin], version: str) -> bool:
    """Whether all pins allow a release."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 -- as above

    return all(SpecifierSet(pin.specifier).contains(version, prereleases=True) for pin in pins)


def in_the_way(pins: Sequence[Pin], loading: Sequence[str]) -> tuple[str, tuple[Pin, ...]]:
    """The release to aim at, the oldest of those that the fewest pins shut out, and these pins."""
    shut = {version: tuple(pin for pin in pins if not admit([pin], version)) for version in loading}
    best = min(loading, key=lambda version: len(shut[version]))
    return best, shut[best]


def way_out(result: Result, version: str) -> Result:
    """The result, whose distribution has a release that loads and that all pins allow, with that as the first remedy."""
    name = result.artifact.name
    text = f"{name} {version} loads here, and every pin of what is installed with it allows it"
    remedy = Remedy("upgrade", text, f"pip install '{name}=={version}'")
    return _amended(result, remedies=(remedy,))


def not_known(result: Result, why: str) -> Result:
    """The result, with the reason why it is not known what the pins leave."""
    return _amended(
        result, evidence=(f"whether the pins on {result.artifact.name} allow a release that loads is not known: {why}",)
    )


def _amended(result: Result, *, remedies: tuple[Remedy, ...] = (), evidence: tuple[str, ...] = ()) -> Result:
    """The result, with more to say of its first error."""
    findings = list(result.findings)
    at = next((number for number, each in enumerate(findings) if each.severity == "error"), None)
    if at is not None:
        first = findings[at]
        findings[at] = first._replace(remedies=(*remedies, *first.remedies), evidence=(*first.evidence, *evidence))
    return result._replace(findings=tuple(findings))


def shut_out(result: Result, found: Sequence[Finding]) -> Result:
    """The result, with what was found about pins in place of the advice to upgrade against them."""
    if not found:
        return result
    kept = [
        each._replace(remedies=tuple(remedy for remedy in each.remedies if remedy.kind != "upgrade")) for each in result.findings
    ]
    return result._replace(findings=(*kept, *found))


def finding(choice: Choice, pin: Pin, aim: str, upgrade: Upgrade) -> Finding:
    """What is said of one pin that shuts out the release `aim`."""
    place = pin.place or ""
    fields = {
        "object": _who(pin) if pin.by else f"{choice.package}{pin.specifier}",
        "package": choice.package,
        "host": choice.host,
        "pin": _who(pin) or place,
        "pinning": pin.by or None,
        "needed": f"{choice.package}{pin.specifier}",
        "loading": aim,
        "others": _listed([_told(each, choice.package) for each in choice.pins if each is not pin]),
        "offered": _listed(_shortened(choice.allowed)) if not choice.unknown else None,
        "unknown": _listed(_shortened(choice.unknown)),
        "allowing": upgrade.version,
        "admitted": upgrade.admitted,
        "latest": upgrade.latest,
        "reason": upgrade.unknown,
        "held": _listed([_told(each, pin.by) for each in upgrade.held]),
        "line": place if not pin.by else None,
    }
    evidence = [*(_told(each, choice.package) for each in choice.pins), _reach(choice)]
    confidence: Confidence = "likely" if choice.unknown else "certain"
    return pages.finding("pin-excludes-loading", fields, evidence=evidence, confidence=confidence)._replace(location=pin.place)


def _who(pin: Pin) -> str:
    return f"{pin.by} {pin.version}" if pin.by else ""


def _told(pin: Pin, package: str) -> str:
    if not pin.by:
        return f"{pin.place} asks for {package}{pin.specifier}"
    return f"{_who(pin)} requires {package}{pin.specifier}" + (f" ({pin.place})" if pin.place else "")


def _reach(choice: Choice) -> str:
    """Where the releases begin that load, and where they end."""
    first, last = choice.loading[0], choice.loading[-1]
    newest = f", as does {last}" if last != first else ""
    before = f"; {choice.before}, the one before {first}, does not" if choice.before else ""
    return f"{choice.package} {first} loads on {choice.host}{newest}{before}"


def _shortened(versions: Sequence[str]) -> Sequence[str]:
    return versions if len(versions) <= _SHOWN else [f"{versions[0]} to {versions[-1]} ({len(versions)} releases)"]


def _listed(items: Sequence[str]) -> str | None:
    """As in `4.0.0, 4.1.0 and 4.2.1`; None for nothing."""
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:]))) or None
