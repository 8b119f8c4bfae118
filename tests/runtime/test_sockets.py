"""Listening sockets and what is said when one cannot be had."""

import socket

import pytest

from harness.errors import StartError
from harness.runtime.sockets import Listen, ReservedPort, listen, port_of


def place(port: int, *, name: str = "workbench", host: str = "127.0.0.1") -> Listen:
    return Listen(name, host, port, f"`ports: {name}:` in harness.yaml")


def test_port_0_is_any_free_port_and_takes_connections_at_once() -> None:
    bound = listen([place(0), place(0, name="public")])
    assert port_of(bound["workbench"]) != port_of(bound["public"])
    for each in bound.values():
        with socket.create_connection(("127.0.0.1", port_of(each))):
            each.close()


def test_every_port_that_cannot_be_had_is_named_and_none_is_kept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        free = ReservedPort()
        places = [
            place(one.getsockname()[1]),
            place(free.port, name="free"),
            place(two.getsockname()[1], name="public"),
        ]
        with pytest.raises(StartError) as caught:
            listen(places)
        first, second = str(caught.value).splitlines()
        assert first.startswith(f"port {places[0].port} (workbench) is in use by another program (")
        assert second.endswith("end it, or set another with `ports: public:` in harness.yaml")
        with socket.create_server(("127.0.0.1", free.port)):
            pass
        free.release()


def test_a_host_that_is_not_of_this_machine_is_named() -> None:
    with pytest.raises(StartError, match=r"cannot be bound on 203\.0\.113\.1"):
        listen([place(0, host="203.0.113.1")])


def test_a_socket_is_not_passed_to_children_by_accident() -> None:
    bound = listen([place(0)])["workbench"]
    assert not bound.get_inheritable()
    bound.close()
