from __future__ import annotations

import json

from click.testing import CliRunner

from abicheck.cli.host import command


def test_the_list_names_each_with_what_matters() -> None:
    result = CliRunner().invoke(command, ["--list"], standalone_mode=False)
    (line,) = [line for line in result.output.splitlines() if line.startswith("debian:13 ")]
    assert result.return_value == 0
    assert "glibc 2.41" in line
    assert "2028-08-09 (2030-06-30)" in line


def test_its_json_has_the_source_of_every_fact() -> None:
    result = CliRunner().invoke(command, ["--list", "--format", "json"], standalone_mode=False)
    hosts = json.loads(result.output)["hosts"]
    assert len(hosts) > 80
    assert all(dict(host["sources"])["nodes"] for host in hosts)
