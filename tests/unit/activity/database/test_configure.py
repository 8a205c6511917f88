import httpx
import pytest
from activity.database import configure, patroni
from activity.database.configure import difference, paths
from activity.database.patroni import Patroni
from activity.errors import DatabaseUnavailable, SettingsError
from activity.secret import Secret

HAVE = {"ttl": 30, "pause": True, "postgresql": {"parameters": {"work_mem": "4MB", "old": "1"}, "pg_hba": ["a"]}}
WANT = {"ttl": 20, "postgresql": {"parameters": {"work_mem": "8MB"}, "pg_hba": ["a"]}}


def test_what_differs_is_merged_what_is_not_wanted_goes_and_a_pause_is_somebody_elses():
    assert difference(WANT, HAVE) == {"ttl": 20, "postgresql": {"parameters": {"work_mem": "8MB", "old": None}}}
    assert difference(WANT, WANT) == {}
    assert dict(paths(difference(WANT, HAVE))) == {
        "ttl": 20,
        "postgresql.parameters.work_mem": "8MB",
        "postgresql.parameters.old": None,
    }


def test_a_document_that_is_none_is_a_mistake_of_settings(tmp_path):
    for text in ("{", "[]"):
        (tmp_path / "cluster.json").write_text(text)
        with pytest.raises(SettingsError):
            configure.read_desired_config(tmp_path / "cluster.json")


class Cluster:
    """Answers as three members do: what was changed needs a restart of each."""

    def __init__(self):
        self.settings = {"loop_wait": 0, "postgresql": {"parameters": {}}}
        self.leader, self.pending, self.done = "p1", set(), []

    def __call__(self, request):
        name, path = request.url.host, request.url.path
        if request.method != "GET":
            assert request.headers["authorization"].startswith("Basic ")
        if path == "/config" and request.method == "PATCH":
            self.settings["postgresql"]["parameters"]["max_connections"] = 300
            self.pending = {"p1", "p2", "p3"}
        elif path == "/restart":
            self.pending.discard(name)
            self.done.append(f"restart {name}")
        elif path == "/switchover":
            assert name == self.leader
            self.leader = "p2"
            self.done.append(f"switchover from {name}")
        elif path == "/cluster":
            return httpx.Response(200, json={"members": [self.member(name) for name in ("p1", "p2", "p3")]})
        return httpx.Response(200, json=self.settings)

    def member(self, name):
        leads = name == self.leader
        state = {"role": "leader", "state": "running"} if leads else {"role": "replica", "state": "streaming", "lag": 0}
        url = f"http://{name}:8008/patroni"
        return {"name": name, "api_url": url, "pending_restart": name in self.pending, **state}


def talking(answer):
    made = Patroni(("http://p1:8008", "http://p2:8008", "http://p3:8008"), Secret("x"))
    made._client = httpx.Client(transport=httpx.MockTransport(answer), auth=("patroni", "x"))
    return made


def test_members_restart_one_by_one_and_the_leader_last_after_it_handed_over():
    cluster = Cluster()
    want = {"loop_wait": 0, "postgresql": {"parameters": {"max_connections": 300}}}
    done = configure.configure(talking(cluster), want)
    assert cluster.done == ["restart p2", "restart p3", "switchover from p1", "restart p1"]
    assert done == ["postgresql.parameters.max_connections changed", *(f"{n} restarted" for n in ("p2", "p3", "p1"))]
    assert configure.configure(talking(cluster), want) == []


def test_a_refusal_says_who_refused_and_why():
    refusing = talking(lambda request: httpx.Response(412, text="no good candidates"))
    with pytest.raises(DatabaseUnavailable, match="http://p1:8008 answered 412: no good candidates"):
        refusing.members()
    assert patroni.LONG_TIMEOUT_SECONDS > patroni.TIMEOUT_SECONDS
