"""Which project an address speaks of."""

import pytest
from activity.portal.hosts import project_of_host


@pytest.mark.parametrize(
    ("host", "project"),
    [
        ("apache.swarmstats.localhost", "apache"),
        ("apache.swarmstats.localhost:8080", "apache"),
        ("Rust-Lang.SwarmStats.localhost.", "rust-lang"),
        ("swarmstats.localhost", None),
        ("swarmstats.localhost:80", None),
        ("127.0.0.1:8080", None),
        ("[::1]:8080", None),
        ("admin_portal:8080", None),
        ("apacheswarmstats.localhost", None),
        (".swarmstats.localhost", None),
        ("", None),
        ("a.b.swarmstats.localhost", "a.b"),
    ],
)
def test_the_label_before_the_domain_is_the_project(host, project):
    assert project_of_host(host, "swarmstats.localhost") == project


def test_without_a_domain_no_host_is_a_project():
    assert project_of_host("apache.", "") is None
