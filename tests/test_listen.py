"""Where a service may listen: this machine, unless keys are asked for."""

from __future__ import annotations

import resource
import socket
from contextlib import closing

import pytest
from typer.testing import CliRunner

from api.app.serve import address_of, listen, make_room
from api.cli import app


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::"])
def test_a_service_without_keys_is_for_this_machine_alone(host: str) -> None:
    run = CliRunner().invoke(app, ["serve", "--host", host], env={"PLACET_KEYS": ""})
    assert run.exit_code == 2
    assert "no API key is configured" in run.stderr
    assert "placet key" in run.stderr
    with pytest.raises(ValueError, match="no API key"):
        listen(host, 0, False)
    with closing(listen(host, 0, True)) as listening:
        assert listening.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "::1"])
def test_this_machine_needs_no_keys(host: str) -> None:
    try:
        listening = listen(host, 0, False)
    except OSError:
        pytest.skip("the machine has no such address")
    with closing(listening), closing(connect_to(listening)):
        shown = address_of(listening)
        assert shown.startswith("http://[::1]:" if ":" in host else "http://127.0.0.")


def connect_to(listening: socket.socket) -> socket.socket:
    return socket.create_connection(listening.getsockname()[:2])


def test_two_services_cannot_share_an_address() -> None:
    with closing(listen("127.0.0.1", 0, False)) as first:
        port = first.getsockname()[1]
        run = CliRunner().invoke(app, ["serve", "--port", str(port)])
    assert run.exit_code == 1
    assert run.stderr == f"placet serve: 127.0.0.1, port {port}: Address already in use\n"


def test_a_name_that_is_nowhere_is_told() -> None:
    run = CliRunner().invoke(app, ["serve", "--host", "no-such-host.invalid"])
    assert run.exit_code == 1
    assert run.stderr.startswith("placet serve: no-such-host.invalid, port 8000: ")
    assert "Traceback" not in run.output


def test_a_service_has_room_for_its_connections_or_says_so() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = before[1]
    if hard == resource.RLIM_INFINITY or hard < 2000:
        pytest.skip("the machine has no limit that could be met")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        make_room(1000)
        assert 1000 < resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= hard
        with pytest.raises(ValueError, match="PLACET_CONNECTIONS is"):
            make_room(hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
