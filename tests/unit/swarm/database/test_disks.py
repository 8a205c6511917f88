"""Room on the disks of the database's servers: what is told, and when it is a complaint."""

import pytest

from swarm.database.disks import Disk, advice

GIGABYTE = 1024**3
MEGABYTE = 1024**2


@pytest.mark.parametrize(
    ("size", "free", "said"),
    [
        (100 * GIGABYTE, 50 * GIGABYTE, ""),
        (100 * GIGABYTE, 9 * GIGABYTE, "patroni2 is running out of disk space (9.7 GB of 107.4 GB free)"),
        (
            400 * MEGABYTE,
            63 * MEGABYTE,
            "patroni2 has no disk space left (66.1 MB of 419.4 MB free) and can be neither leader nor replica",
        ),
        (None, None, ""),
    ],
)
def test_a_disk_complains_when_it_is_full_or_nearly_so(size: int | None, free: int | None, said: str) -> None:
    assert Disk("patroni2", size, free).complaint == said


def test_a_server_that_does_not_run_has_no_numbers() -> None:
    assert Disk("patroni2", None, None).shown == "-"


def test_the_advice_names_the_service_and_how_to_find_its_node() -> None:
    assert "db/patroni2" in advice(Disk("patroni2", GIGABYTE, 0))
    assert "./run status db" in advice(Disk("patroni2", GIGABYTE, 0))
