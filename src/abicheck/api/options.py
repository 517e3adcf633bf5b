"""How much a run is to find out, and how."""

from __future__ import annotations

from typing import NamedTuple


class Options(NamedTuple):
    """How much to find out and how.

    `tree` and `symbol` ask for what was loaded from where and for what one symbol binds to; `digests` for the hashes of the
    targets. `stored` allows verdicts of earlier runs where nothing has changed since. `cross_check` reads every file a second
    time with pyelftools and compares. `jobs` is the number of processes. `strict` makes a verdict depend on each fact that was
    only assumed of the host and that could change it.

    `select` are the rules whose findings are shown and counted (none: all), `ignore` those whose findings are not; the verdict
    stays as it is. `require` are capabilities that count for the exit code.

    Of distributions: `dependencies` judges what they require, too; `environment` is the directory or Python in which installed
    ones are looked for (None: `$VIRTUAL_ENV`, else this interpreter's), `prefix` where what is not on the host is taken to be
    installed (None: the site-packages of the target Python). `verify_record` compares hashes with RECORD; `offline` asks no
    index. `extras` and `groups` are those of a lock file that are installed beside what is by default.
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
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
