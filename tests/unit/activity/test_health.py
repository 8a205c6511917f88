"""A service says whether its work goes on, and its numbers."""

import httpx
from activity.health import Watchdog, health_server
from activity.settings import Listen
from prometheus_client import CollectorRegistry, Counter


def test_healthz_follows_the_pulse_and_metrics_are_there():
    registry = CollectorRegistry()
    Counter("things", "Things", registry=registry).inc()
    pulse = Watchdog(patience=1000)
    with health_server(Listen("127.0.0.1", 0), pulse, registry) as port, httpx.Client() as client:
        url = f"http://127.0.0.1:{port}"
        assert client.get(f"{url}/healthz").text == "ok\n"
        assert "things_total 1.0" in client.get(f"{url}/metrics").text
        assert client.get(f"{url}/").status_code == 404


def test_without_a_sign_of_work_healthz_fails():
    with health_server(Listen("127.0.0.1", 0), Watchdog(patience=-1), CollectorRegistry()) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/healthz")
    assert answer.status_code == 503
    assert "no progress" in answer.text
