"""Our rows of the two real hours are DevStats's rows, table by table, row by row.

Compared are all columns of DevStats's output but two: gha_repos.created_at and gha_repos.updated_at default to
now() there and here, so they say when the loader ran and nothing about the hours.
"""

import io
import tarfile

import pytest

# DevStats was run with these names in this case; here names match in any case, and these hours have no other.
ORGANISATIONS = ["apache", "rust-lang", "cachethq", "CachetHQ", "mozilla", "square", "Homebrew", "tgstation", "docker"]
# Every table that DevStats's loader filled.
TABLES = {
    "gha_actors": 129,
    "gha_branches": 140,
    "gha_comments": 154,
    "gha_commits": 172,
    "gha_commits_roles": 3,
    "gha_events": 269,
    "gha_forkees": 134,
    "gha_issues": 107,
    "gha_issues_labels": 204,
    "gha_labels": 46,
    "gha_orgs": 8,
    "gha_parsed": 2,
    "gha_payloads": 269,
    "gha_pull_requests": 70,
    "gha_pull_requests_assignees": 1,
    "gha_repos": 38,
}
# What DevStats's own scripts derive from those tables, which the loader here does at once.
DERIVED = {"gha_texts": 653, "gha_issues_events_labels": 204, "gha_issues_pull_requests": 14}
CLOCK_COLUMNS = {"gha_repos": ("created_at", "updated_at")}


@pytest.fixture(scope="session")
def devstats_rows(shared_data):
    """DevStats's output by table, as tab-separated values with a header."""
    with tarfile.open(shared_data / "devstats" / "2015-01-01-0+1.tar.gz") as archive:
        members = {member.name.rpartition("/")[2]: member for member in archive.getmembers() if member.isfile()}
        return {
            name.removesuffix(".tsv"): archive.extractfile(members[name]).read() for name in members if "gha" in name
        }


def test_no_table_of_devstats_is_left_out(devstats_rows):
    assert sorted(devstats_rows) == sorted(TABLES)


@pytest.mark.usefixtures("real_archive")
def test_every_row_equals_that_of_devstats(platform, devstats_rows):
    platform.follow_projects({"eight": ORGANISATIONS})
    assert platform.ingest("2015-01-01-0", "2015-01-01-1").returncode == 0
    connection = platform.connect(platform.database("eight"))
    with connection.cursor() as cursor:
        for table, count in TABLES.items():
            header = devstats_rows[table].split(b"\n", 1)[0].decode().strip().split("\t")
            cursor.execute(f"create temporary table theirs_{table} (like {table})")
            cursor.copy_expert(
                f"copy theirs_{table} ({', '.join(header)}) from stdin (format csv, header, delimiter E'\\t')",
                io.BytesIO(devstats_rows[table]),
            )
            columns = ", ".join(name for name in header if name not in CLOCK_COLUMNS.get(table, ()))
            ours, theirs = f"select {columns} from {table}", f"select {columns} from theirs_{table}"
            for missing in (f"{theirs} except all {ours}", f"{ours} except all {theirs}"):
                cursor.execute(missing)
                assert cursor.fetchall() == [], f"{table}: {missing}"
            cursor.execute(f"select count(*) from {table}")
            assert cursor.fetchone() == (count,), table
        for table, count in DERIVED.items():
            cursor.execute(f"select count(*) from {table}")
            assert cursor.fetchone() == (count,), table
    connection.close()
