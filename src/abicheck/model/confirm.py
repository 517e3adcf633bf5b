"""What is to be confirmed on a real machine, what was observed there, and whether it is what was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from abicheck.model.report import worst_of

if TYPE_CHECKING:
    from abicheck.model.report import Failure, Result, Tool, Verdict

#: What a cell does with the code: the loader alone, an import, one and a transcription of speech, an instance of a module,
#: or a look at the language that a binding passes on.
Deed: TypeAlias = Literal["load", "import", "transcribe", "instantiate", "canary"]
#: What was done about a failure that is known: only the first changes the files.
Remedy: TypeAlias = Literal["clear-exec-stack", "set-tunable", "upgrade"]
HostKind: TypeAlias = Literal["container", "emulated"]


class MatrixHost(NamedTuple):
    """A host of a matrix: the image in a registry, and how the same is made of Debian packages.

    `base` are the arguments of the script that makes it. `pythons` are the paths of interpreters that are not /usr/bin/pythonX.Y.
    `predict` is another host to make the prediction for, where that is not to be the image itself; `check` is the host that is
    judged where nothing is to be run. `rolling` hosts change by themselves: they are reported and do not count.
    """

    name: str
    kind: HostKind = "container"
    arch: str = "x86_64"
    image: str | None = None
    base: tuple[str, ...] = ()
    pythons: tuple[tuple[str, str], ...] = ()
    predict: str | None = None
    check: str | None = None
    rolling: bool = False


class Cell(NamedTuple):
    """One artifact on one host for one Python: `requirements` are installed together, the first one is what it is about.

    With `override` the first is installed whatever the others say of it, as people do with `--no-deps`.
    `imports` are modules, imported in this order. `settings` are set in the environment of the process (and predicted with);
    `seconds` is how long it may take. Of the recordings the first `clips` are transcribed (None: all).
    Where a WebAssembly module is asked for, there is no Python, and nothing is required.
    """

    name: str
    host: str
    python: str
    requirements: tuple[str, ...]
    imports: tuple[str, ...]
    deed: Deed = "transcribe"
    remedy: Remedy | None = None
    settings: tuple[tuple[str, str], ...] = ()
    seconds: float = 120.0
    override: bool = False
    clips: int | None = None


class Sweep(NamedTuple):
    """Releases of a distribution, each alone, on hosts (as `--host` takes them): only to be judged.

    `versions` are versions and specifiers. Without `pythons` each host takes the Python that `check` takes there; `*` stands for
    all for which the release has a wheel.
    """

    subject: str
    versions: tuple[str, ...]
    hosts: tuple[str, ...]
    pythons: tuple[str, ...] = ()


class Matrix(NamedTuple):
    """Hosts and cells, and what is only to be judged.

    `dockerfile` and `base_script` are paths on this machine: what images and their bases are made with.
    """

    name: str
    hosts: tuple[MatrixHost, ...]
    cells: tuple[Cell, ...]
    dockerfile: str | None = None
    base_script: str | None = None
    sweeps: tuple[Sweep, ...] = ()


class Clip(NamedTuple):
    """A recording of speech and the words in it."""

    audio: str
    expected: str


class Speech(NamedTuple):
    """What to transcribe with which model, and how often: `threads` at once, each all clips `repeat` times."""

    model: str
    clips: tuple[Clip, ...]
    threads: int = 1
    repeat: int = 1


class Heard(NamedTuple):
    """What one clip was heard as; `wrong` are other texts that the same clip gave under load."""

    audio: str
    expected: str
    text: str | None
    wrong: tuple[str, ...] = ()


class Observed(NamedTuple):
    """What really happened in a fresh process.

    `text` is None where all went well; else the loader's own text, `signal: SIGSEGV`, `no end after 120 s` or `TYPE: TEXT` of a
    Python exception. `extensions` are the shared objects that Python opened, in order, each with what the loader said or None.
    `output` is the tail of what the process wrote where it ended badly.
    """

    verdict: Verdict
    text: str | None
    heard: tuple[Heard, ...] = ()
    seconds: float = 0.0
    extensions: tuple[tuple[str, str | None], ...] = ()
    output: str = ""

    @property
    def transcript(self) -> str | None:
        """The words of all clips, None where nothing was to be heard or was."""
        texts = [each.text for each in self.heard if each.text is not None]
        return " / ".join(texts) if texts else None


class Confirmed(NamedTuple):
    """A cell with its prediction beside what was observed.

    `result` is the one that decides the prediction: of the distributions that are installed together the worst, else the first
    that was asked for. `agree` is None where there is nothing to compare: no wheel, or a prediction that depends. `differences`
    say what is not as predicted, `reproduce` is the command that does it by hand. `rolling` hosts do not count.
    """

    cell: Cell
    result: Result
    observed: Observed | None = None
    agree: bool | None = None
    differences: tuple[str, ...] = ()
    reproduce: str = ""
    rolling: bool = False


class ConfirmReport(NamedTuple):
    """A prediction beside an observation for each cell; `engine` is what ran the containers, None where there were none."""

    tool: Tool
    name: str
    cells: tuple[Confirmed, ...]
    errors: tuple[Failure, ...] = ()
    seconds: float = 0.0
    engine: str | None = None

    @property
    def verdict(self) -> Verdict | None:
        """The worst prediction, None where there is none."""
        return worst_of({each.result.verdict for each in self.cells})

    @property
    def agree(self) -> bool | None:
        """Whether each comparison that counts came out equal; None without any."""
        counted = [each.agree for each in self.cells if each.agree is not None and not each.rolling]
        return all(counted) if counted else None

    @property
    def exit_code(self) -> int:
        """1 a disagreement, 4 something that could not be done, 3 a prediction that depends, else 0."""
        if self.agree is False:
            return 1
        if self.errors or not self.cells:
            return 4
        return 3 if any(each.result.verdict == "depends" and not each.rolling for each in self.cells) else 0
