"""What abicheck itself says of objects, as its command line prints it. Run inside a container, it also saves the host there.

    python inside_driver.py OBJECTS.json

`OBJECTS.json` is a list of paths. Written to standard output: the profile, and the answers of `--host local`. Nothing but the
standard library and abicheck is there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

#: So many paths stay below what a command line may hold.
AT_ONCE = 1000
#: The exit codes of a report: 4 says that a part of it could not be done, which is among the answers.
REPORTS = (0, 1, 3, 4)


def abicheck(*arguments: str, codes: tuple[int, ...] = (0,)) -> None:
    """Run the command line of abicheck with this Python; raises RuntimeError with what it said."""
    run = subprocess.run([sys.executable, "-m", "abicheck", *arguments], capture_output=True, text=True, check=False)
    if run.returncode not in codes:
        raise RuntimeError(f"abicheck {' '.join(arguments)[:200]}: exit code {run.returncode}\n{run.stderr[-2000:]}")


def answers(objects: list[str], *how: str) -> dict[str, tuple[str, str | None]]:
    """Verdict and text for each object, asked with the options `how`; what cannot be judged has the reason as its text."""
    found: dict[str, tuple[str, str | None]] = {}
    with tempfile.TemporaryDirectory() as work:
        report = f"{work}/report.json"
        for first in range(0, len(objects), AT_ONCE):
            some = objects[first : first + AT_ONCE]
            abicheck("check", *some, *how, "--no-cache", "--format", "json", "-o", report, codes=REPORTS)
            said = json.loads(Path(report).read_text(encoding="utf-8"))
            for result in said["results"]:
                found[result["artifact"]["path"]] = (result["verdict"], result["predicted"])
            for error in said["errors"]:
                found[error["target"]] = ("error", error["message"])
    return found


def main() -> None:
    """Save this machine and judge the objects on it."""
    objects = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as work:
        abicheck("host", "--save", f"{work}/prod.json")
        profile = Path(work, "prod.json").read_text(encoding="utf-8")
    json.dump({"profile": profile, "answers": answers(objects, "--host", "local")}, sys.stdout)


if __name__ == "__main__":
    main()
