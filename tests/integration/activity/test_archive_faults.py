"""An archive that fails at any moment changes nothing of what is stored in the end."""

from shutil import copy

import pytest

from tests.faulty import faulty
from tests.integration.activity.test_ingest import HOURS, PROJECTS, checksums


@pytest.mark.usefixtures("real_archive")
def test_whatever_the_archives_server_does_the_rows_are_the_same_in_the_end(platform, shared_data, tmp_path, long):
    platform.follow(*PROJECTS)
    assert platform.ingest(*HOURS).returncode == 0
    expected = checksums(platform)
    folder = tmp_path / "archive"
    folder.mkdir()
    for hour in HOURS:
        copy(shared_data / "gharchive" / f"{hour}.json.gz", folder)
    met = 0
    for seed in range(12 if long else 2):
        platform.drop()
        with faulty(folder, seed, ("429", "500", "503", "reset", "short", "whole", "404", None)) as archive:
            for _ in range(30):
                done = platform.ingest(*HOURS, ACTIVITY_ARCHIVE_URL=archive.url)
                assert done.returncode in (0, 66, 69, 70), done.stderr
                assert "Traceback" not in done.stderr
                if done.returncode == 0:
                    break
            assert done.returncode == 0, done.stderr
            met += archive.met.total() - archive.met["None"]
        assert checksums(platform) == expected
    assert met > 2
