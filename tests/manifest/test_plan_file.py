"""Settings that the supervisor hands to the edge and the router."""

import json
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.manifest.plan_file import EdgeSettings, Listener, Nats, RouterSettings
from harness.wire import NetworkPlace, PlaceKind

ENDPOINT = NetworkPlace("orders to stock", PlaceKind.ENDPOINT, "111111111111", "vpce-0a0a0a0a", "vpc-0a0a0a0a", "stock")
EDGE = EdgeSettings(
    landscape=Path("/srv/shop/harness.yaml"),
    keys=Path("/srv/shop/.harness/keys"),
    nats=Nats(url="nats://edge:secret@127.0.0.1:4222"),
    listeners=(
        Listener(place=NetworkPlace("public", PlaceKind.PUBLIC), fd=3),
        Listener(place=ENDPOINT, host="::1", port=4601),
    ),
    endpoints={"orders": "127.0.0.1:4601"},
    upstreams={"orders": "http://127.0.0.1:8081"},
)
ROUTER = RouterSettings(
    landscape=Path("/srv/shop/harness.yaml"),
    nats=Nats(url="nats://127.0.0.1:4222", credentials=Path("/srv/shop/.harness/keys/router.creds")),
    keys=Path("/srv/shop/.harness/keys"),
    health_port=4570,
    clock_factor=60.0,
)


def test_edge_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    EDGE.write(tmp_path / "edge.json")
    assert EdgeSettings.read(tmp_path / "edge.json") == EDGE


def test_router_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    ROUTER.write(tmp_path / "router.json")
    assert RouterSettings.read(tmp_path / "router.json") == ROUTER


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    EDGE.write(tmp_path / "edge.json")
    assert stat.S_IMODE((tmp_path / "edge.json").stat().st_mode) == 0o600


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(EDGE)
    assert "127.0.0.1:4222" in repr(EDGE)


def _without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda settings: settings.pop(key)


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], list[str]]] = {
    "an unknown key": (
        lambda settings: settings.update({"upstream": {}}),
        ['edge.json: unknown key "upstream" (did you mean "upstreams"?)'],
    ),
    "a missing key": (_without("keys"), ['edge.json: the key "keys" is missing: folder of keys']),
    "no listener": (
        lambda settings: settings.update(listeners=[]),
        ["edge.json: listeners: is an empty list: name at least one"],
    ),
    "an unknown kind of place": (
        lambda settings: settings["listeners"][0]["place"].update(kind="moon"),
        ['edge.json: listeners[0].place.kind: "moon" is not one of workbench, public, endpoint, credentials'],
    ),
    "a relative path": (
        lambda settings: settings.update(keys="keys"),
        ['edge.json: keys: "keys" is not an absolute path'],
    ),
}


@pytest.mark.parametrize(("change", "problems"), REFUSED.values(), ids=REFUSED.keys())
def test_settings_are_refused(
    change: Callable[[dict[str, Any]], object], problems: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("edge.json")
    EDGE.write(file)
    settings = json.loads(file.read_text())
    change(settings)
    file.write_text(json.dumps(settings))
    with pytest.raises(InputError) as raised:
        EdgeSettings.read(file)
    assert str(raised.value).splitlines() == problems


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{\n", "not JSON"),
        ("[]", "must be a mapping"),
        (None, "does not exist"),
    ],
    ids=["not JSON", "no mapping", "no file"],
)
def test_a_file_that_holds_no_settings_is_refused(content: str | None, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=problem):
        EdgeSettings.read(file)


def test_an_inherited_socket_is_taken_over() -> None:
    bound = socket.create_server(("127.0.0.1", 0))
    with Listener(place=ENDPOINT, fd=bound.detach()).open() as opened:
        assert opened.getsockname()[0] == "127.0.0.1"
        with socket.create_connection(opened.getsockname()):
            pass


def test_a_socket_is_opened_where_none_is_inherited() -> None:
    with (
        Listener(place=ENDPOINT, host="127.0.0.1").open() as opened,
        socket.create_connection(opened.getsockname()),
    ):
        assert opened.getsockname()[1] != 0
