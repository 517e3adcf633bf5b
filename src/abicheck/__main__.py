"""`python -m abicheck` is the command `abicheck`."""

from abicheck.cli.main import run

if __name__ == "__main__":
    run()
