"""An event tells whose it is in both formats."""

import gzip
import json

import pytest
from activity.archive.read.ownership import actor_login, repository_name


@pytest.mark.parametrize(
    "event", [{}, {"repo": None}, {"repo": {}}, {"repo": "a/b"}, {"repo": {"name": 1}}, {"repository": {"name": "b"}}]
)
def test_an_event_without_a_repository_belongs_to_nobody(event):
    assert repository_name(event) == ""


def test_an_event_before_2015_belongs_to_its_organisation_or_its_owner(shared_data):
    text = gzip.decompress((shared_data / "gharchive" / "pre-2015.sample.json.gz").read_bytes())
    names = {repository_name(json.loads(line)) for line in text.splitlines()}
    assert {"aws/aws-sdk-core-ruby", "openstack/openstack", "leftieFriele/liggeran", "K-Be/EasyMapping"} <= names
    assert "" not in names


def test_an_actor_is_an_object_or_a_login():
    assert actor_login({"actor": {"login": "someone"}}) == actor_login({"actor": "someone"}) == "someone"
    assert actor_login({"actor": None}) == actor_login({}) == ""
