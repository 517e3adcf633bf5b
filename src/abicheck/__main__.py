"""`python -m abicheck` is the command `abicheck`."""

from abicheck.cli.main import main

if __name__ == "__main__":
    main()
