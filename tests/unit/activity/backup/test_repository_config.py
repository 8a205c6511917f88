"""Where the repository is, as it is told when it does not answer."""

from pathlib import Path

import pytest
from activity.backup import repository_config

S3 = """
[global]
repo1-type=s3
repo1-path=/lab
repo1-s3-bucket=kept
repo1-s3-endpoint={endpoint}
repo1-s3-region=eu
repo1-s3-uri-style={style}

[main]
pg1-path=/var/lib/postgresql/data/main
"""


@pytest.mark.parametrize(
    ("endpoint", "style", "host", "port", "words"),
    [
        ("s3.example.org", "path", "s3.example.org", 443, "Bucket kept at s3.example.org"),
        ("s3.example.org", "host", "kept.s3.example.org", 443, "Bucket kept at kept.s3.example.org"),
        ("10.0.0.7:9000", "path", "10.0.0.7", 9000, "Bucket kept at 10.0.0.7:9000"),
        ("https://s3.example.org:444/", "path", "s3.example.org", 444, "Bucket kept at s3.example.org:444"),
        ("[fd00::7]:9000", "path", "[fd00::7]", 9000, "Bucket kept at [fd00::7]:9000"),
    ],
)
def test_a_bucket_is_named_with_the_server_that_is_connected_to(
    tmp_path: Path, endpoint: str, style: str, host: str, port: int, words: str
) -> None:
    (tmp_path / "conf").write_text(S3.format(endpoint=endpoint, style=style))
    found = repository_config.read(tmp_path / "conf")
    assert (found.host, found.port, str(found)) == (host, port, words)


def test_a_folder_is_named_and_what_is_broken_is_left_to_pgbackrest(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("[global]\nrepo1-type=posix\nrepo1-path=/data/backups/cluster\n")
    assert str(repository_config.read(tmp_path / "conf")) == "The backup repository in /data/backups/cluster"
    assert repository_config.read(tmp_path / "conf").reason() == "is the shared storage mounted?"
    (tmp_path / "conf").write_text("repo1-type=posix")
    for name in ("conf", "none"):
        assert str(repository_config.read(tmp_path / name)) == "The backup repository in an unknown location"
