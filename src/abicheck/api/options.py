"""How much a run is to find out, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from abicheck.model.configuration import Ignore


class Options(NamedTuple):
    """How much to find out and how.

    `tree` and `symbol` ask for what was loaded from where and for what one symbol binds to; `digests` for the hashes of the
    targets. `stored` allows verdicts of earlier runs where nothing has changed since. `cross_check` reads every file a second
    time with pyelftools and compares. `jobs` is the number of processes. `strict` makes a verdict depend on each fact that was
    only assumed of the host and that could change it.

    `select` are the rules whose findings are shown and counted (none: all), `ignore` those whose findings are not; the verdict
    stays as it is. `ignores` are what a project ignores for a while; one that has expired is an error of the report.
    `require` are capabilities that count for the exit code.

    Of distributions: `dependencies` judges what they require, too; `environment` is the directory or Python in which installed
    ones are looked for (None: `$VIRTUAL_ENV`, else this interpreter's), `prefix` where what is not on the host is taken to be
    installed (None: the site-packages of the target Python). `verify_record` compares hashes with RECORD; `offline` asks no
    index. `pins` finds out, where one of a lock or closure fails, which pins keep it from a release that loads. `extras` and
    `groups` are those of a lock file that are installed beside what is by default.

    Of WebAssembly: `urls` are addresses of the page that loads a module, and of the scripts of its workers, whose headers count.
    """

    tree: bool = False
    symbol: str | None = None
    digests: bool = False
    stored: bool = True
    cross_check: bool = False
    jobs: int = 1
    dependencies: bool = True
    environment: str | None = None
    prefix: str | None = None
    verify_record: bool = False
    offline: bool = False
    strict: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    pins: bool = True
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
