"""`python -m tests.truth.aarch64`: the same comparison with the loaders of aarch64, run by qemu."""

from __future__ import annotations

import sys

from tests.truth.__main__ import main

if __name__ == "__main__":
    main(["--root", "aarch64", *sys.argv[1:]])
