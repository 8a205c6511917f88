"""The command that makes load hours says what is wrong with its arguments, and writes what they describe."""

import gzip
import json

import pytest

from tests.bench.make_hour import main, parse

RANGE = ["--from", "2024-05-14-15", "--to", "2024-05-14-16"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shape", "round"], "argument --shape: "),
        (["--events", "0"], "expected a number 1..10000000, found '0'"),
        (["--hits", "2"], "expected a number 0..1 such as 0.01, found '2'"),
        (["--damage", "cut,rust"], "expected some of glued, cut, "),
        (["--from", "now"], "expected an hour such as 2015-01-01-0, found 'now'"),
    ],
)
def test_a_wrong_argument_is_named_with_what_was_expected(arguments, message, capsys):
    with pytest.raises(SystemExit) as left:
        parse(["folder", "projects.json", *RANGE, "--shape", "fat", *arguments])
    assert left.value.code == 2
    assert message in capsys.readouterr().err


def test_the_hours_have_the_events_that_were_asked_for_at_repositories_of_the_projects(tmp_path):
    projects = tmp_path / "projects.json"
    projects.write_text(json.dumps({"projects": [{"name": "k", "organisations": ["kube"], "start": "2015-01-01"}]}))
    hours = tmp_path / "hours"
    assert main([str(hours), str(projects), *RANGE, "--shape", "slim", "--events", "200", "--hits", "0.5"]) == 0
    assert {path.name for path in hours.iterdir()} == {"2024-05-14-15.json.gz", "2024-05-14-16.json.gz"}
    lines = gzip.decompress((hours / "2024-05-14-15.json.gz").read_bytes()).splitlines()
    names = [json.loads(line)["repo"]["name"] for line in lines]
    assert len(names) == 200
    assert 60 < sum(name.startswith("kube/") for name in names) < 140
