"""A running landscape as tests and commands hold it: credentials of any role, signed calls, the bus."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urljoin

import requests
from requests.auth import AuthBase

from harness import manifest
from harness.bus.model import Bus
from harness.clock import Clock, utc_now
from harness.errors import InputError, NotRunning, Problem, did_you_mean
from harness.identity import Credentials, Sealer, start_session
from harness.local.operator import PREFIX, operator_token
from harness.runtime import keys
from harness.runtime.folder import StateFolder
from harness.runtime.state import read_state
from harness.sigv4 import sign
from harness.verify.signing import SigV4, signed_session
from harness.wire import HEALTH_PATH, HttpRequest

RENEW_BEFORE = timedelta(minutes=5)
SESSION_SECONDS = 3600
WORKBENCH = "workbench"
_NOT_OF_SESSION_NAME = re.compile(r"[^A-Za-z0-9_+=,.@-]")


class ApiClient(requests.Session):
    """A signing session whose relative URLs (`/v2/orders`) are below the workbench."""

    def __init__(self, base_url: str, auth: AuthBase) -> None:
        super().__init__()
        self.auth = auth
        self.trust_env = False
        self._base_url = base_url

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        target = url.decode() if isinstance(url, bytes) else url
        kwargs.setdefault("timeout", 60)
        kwargs.setdefault("allow_redirects", False)
        return super().request(method, urljoin(self._base_url, target), *args, **kwargs)


@dataclass
class Harness:
    """`workbench` is the base URL of the developer's own VPC endpoint."""

    landscape: manifest.Landscape
    workbench: str
    master_key: bytes = field(repr=False)
    clock: Clock = utc_now
    _issued: dict[str, Credentials] = field(default_factory=dict, repr=False)

    @classmethod
    def attach(cls, file: Path, state: Path) -> Self:
        """The landscape that runs in this state folder, with either engine. Raises `NotRunning`, `InputError`."""
        folder = StateFolder(state)
        running = read_state(folder)
        if running is not None:
            port = running.ports.get(WORKBENCH)
            if port is None:
                raise NotRunning("the landscape is only starting: wait for it with: harness status")
            return cls(manifest.load(file), f"http://localhost:{port}", keys.master_key(folder.keys))
        containers = state / "docker" / "keys"
        if (containers / "master.key").is_file():
            landscape = manifest.load(file)
            url = f"http://localhost:{landscape.ports.workbench}"
            if _answers(url):
                return cls(landscape, url, keys.master_key(containers))
        raise NotRunning("nothing runs here; start it with: harness up")

    @property
    def region(self) -> str:
        return self.landscape.region

    def credentials(self, role: str, *, seconds: int = SESSION_SECONDS) -> Credentials:
        """New temporary credentials. `role` is a name, `account/name` or an ARN; `InputError` when there is none."""
        name = session_name(os.environ.get("USER", ""))
        session = start_session(self.landscape.role(role), name, now=self.clock(), seconds=seconds)
        return Sealer(self.master_key).issue(session)

    def auth(self, api: str, role: str) -> SigV4:
        """For `requests`: signs each request for `api` as `role`, with credentials that are renewed in time."""
        self._known_api(api)
        self.landscape.role(role)
        return SigV4(api, lambda: self._current(role), region=self.region, now=self.clock)

    def consumer(self, name: str) -> str:
        """The role that a consumer calls as: a domain's own, or that of its name."""
        domain = self.landscape.domains.get(name)
        return domain.runs_as.arn if domain is not None else name

    def session(self, api: str, role: str) -> requests.Session:
        self._known_api(api)
        self.landscape.role(role)
        return signed_session(api, lambda: self._current(role), region=self.region, now=self.clock)

    def client(self, api: str, role: str) -> ApiClient:
        return ApiClient(self.workbench, self.auth(api, role))

    def put_event(self, *, role: str, bus: str | None, source: str, detail_type: str, detail: str) -> dict[str, Any]:
        """One event by the PutEvents API, as boto3 would send it; the entry of the answer, or its error."""
        arn = self._bus(bus).arn
        entry = {"Source": source, "DetailType": detail_type, "Detail": detail, "EventBusName": arn}
        body = json.dumps({"Entries": [entry]}).encode()
        headers = [
            (b"host", self.workbench.partition("//")[2].encode()),
            (b"content-type", b"application/x-amz-json-1.1"),
            (b"x-amz-target", b"AWSEvents.PutEvents"),
        ]
        credentials = self._current(role)
        added = sign(
            HttpRequest(method="POST", raw_path=b"/", raw_query=b"", headers=headers, body=body),
            access_key_id=credentials.access_key_id,
            secret=credentials.secret_access_key,
            session_token=credentials.session_token,
            region=self.region,
            service="events",
            now=self.clock(),
        )
        sent = {name.decode(): value.decode() for name, value in [*headers, *added]}
        with _answering(self.workbench), _plain_session() as http:
            answer = http.post(self.workbench + "/", data=body, headers=sent, timeout=60).json()
        entries: list[dict[str, Any]] = answer.get("Entries") or [answer]
        return entries[0]

    def events_so_far(self, bus: str | None = None) -> list[dict[str, Any]]:
        """What a bus took and still keeps, oldest first; all buses when none is named."""
        buses = [self._bus(bus)] if bus else self.landscape.buses.values()
        return [event for each in buses for event in self._events(each, from_start=True, follow=False)]

    def tail(
        self,
        *,
        bus: str | None,
        pattern: str | None,
        from_start: bool,
        count: int | None,
        show: Callable[[dict[str, Any]], None],
    ) -> None:
        """Shows events as they come until `count` were shown or the user interrupts."""
        shown = 0
        try:
            for event in self._events(self._bus(bus), from_start=from_start, follow=True, pattern=pattern):
                show(event)
                shown += 1
                if shown == count:
                    return
        except KeyboardInterrupt:
            return

    def explain(self, request_id: str) -> dict[str, Any]:
        """Why a call was answered as it was. `InputError` when no record of it is kept."""
        text = f"no record of {request_id} is kept: x-amzn-RequestId of an answer, or the log's, names a call"
        return self._asked("GET", "explain", {"id": request_id}, unknown=Problem("REQUEST_ID", 0, text))

    def trace(self, event_id: str) -> dict[str, Any]:
        """What became of an event. `InputError` when neither it nor a note of it is kept."""
        text = f"no event {event_id} is kept: name the EventId that PutEvents answered (harness events tail shows them)"
        return self._asked("GET", "trace", {"id": event_id}, unknown=Problem("EVENT_ID", 0, text))

    def start_replay(self, archive: str, **choices: str | None) -> dict[str, Any]:
        """Its name, account and state. `choices`: `since`, `until` (ISO 8601), `rules` (names, with commas), `name`."""
        names = {"since": "from", "until": "to"}
        query = {names.get(name, name): value for name, value in choices.items() if value}
        unknown = Problem("ARCHIVE", 0, f"there is no archive {archive}: boto3's create_archive makes one")
        return self._asked("POST", "replay", {"archive": archive, **query}, unknown=unknown)

    def replay(self, name: str, account: str) -> dict[str, Any]:
        """As DescribeReplay shows it."""
        unknown = Problem("REPLAY", 0, f"there is no replay {name}")
        return self._asked("GET", "replays", {"name": name, "account": account}, unknown=unknown)

    def redrive(self, queue: str, *, limit: int = 0) -> dict[str, Any]:
        """Sends the dead letters of a queue back to their targets; how many went where, and what stays."""
        unknown = Problem("QUEUE", 0, f"there is no queue {queue}")
        return self._asked("POST", "redrive", {"queue": queue, "limit": str(limit)}, unknown=unknown)

    def storage(self) -> dict[str, Any]:
        """What the landscape keeps: bytes, bounds, and each place with its share."""
        with _answering(self.workbench), _plain_session() as http:
            answer = http.get(self.workbench + PREFIX + "storage", headers=self._operator(), timeout=60)
            answer.raise_for_status()
            told: dict[str, Any] = answer.json()
        return told

    def undelivered(self) -> Iterator[dict[str, Any]]:
        """Dead letters that their queue did not take, oldest first."""
        return self._lines("undelivered", {})

    def logged(self, group: str) -> Iterator[str]:
        """What a log group (ARN) got as a target of rules, oldest first."""
        return self._lines("logs", {"group": group})

    def _lines(self, path: str, query: dict[str, str]) -> Iterator[Any]:
        with (
            _answering(self.workbench),
            _plain_session() as http,
            http.get(
                self.workbench + PREFIX + path, params=query, headers=self._operator(), stream=True, timeout=(10, None)
            ) as answer,
        ):
            if answer.status_code == 400:
                raise InputError([Problem(path, 0, answer.json()["message"])])
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line:
                    yield json.loads(line)

    def records(self, *, since: str | None = None, refused: bool = False) -> Iterator[dict[str, Any]]:
        """The audit's records, oldest first. `since`: ISO 8601."""
        query = {"refused": "1" if refused else "0", **({"since": since} if since else {})}
        with (
            _answering(self.workbench),
            _plain_session() as http,
            http.get(
                self.workbench + PREFIX + "audit",
                params=query,
                headers=self._operator(),
                stream=True,
                timeout=(10, None),
            ) as answer,
        ):
            if answer.status_code == 400:
                raise InputError([Problem("--since", 0, answer.json()["message"])])
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line:
                    yield json.loads(line)

    def _asked(self, method: str, path: str, query: dict[str, str], *, unknown: Problem) -> dict[str, Any]:
        with _answering(self.workbench), _plain_session() as http:
            url = self.workbench + PREFIX + path
            answer = http.request(method, url, params=query, headers=self._operator(), timeout=600)
            if answer.status_code == 404:
                raise InputError([unknown])
            if answer.status_code == 400:
                raise InputError([replace(unknown, text=answer.json()["message"])])
            answer.raise_for_status()
            told: dict[str, Any] = answer.json()
        return told

    def _operator(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {operator_token(self.master_key)}"}

    def _events(
        self, bus: Bus, *, from_start: bool, follow: bool, pattern: str | None = None
    ) -> Iterator[dict[str, Any]]:
        query = {"bus": bus.arn, "from": "start" if from_start else "now", "follow": "1" if follow else "0"}
        if pattern is not None:
            query["pattern"] = pattern
        with (
            _answering(self.workbench),
            _plain_session() as http,
            http.get(
                self.workbench + PREFIX + "events",
                params=query,
                headers={"Authorization": f"Bearer {operator_token(self.master_key)}"},
                stream=True,
                timeout=(10, None),
            ) as answer,
        ):
            if answer.status_code == 400:
                raise InputError([Problem("--pattern", 0, answer.json()["message"])])
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line:
                    yield json.loads(line)

    def _bus(self, name: str | None) -> Bus:
        buses = dict(self.landscape.buses)
        if name is None and len(buses) == 1:
            return next(iter(buses.values()))
        if name is None:
            raise InputError([Problem("--bus", 0, f"name one of the buses: {', '.join(buses)}")])
        buses |= {place.name: place for place in self.landscape.quarantines_by_arn().values()}
        if name not in buses:
            raise InputError([Problem("--bus", 0, f'unknown bus "{name}"{did_you_mean(name, list(buses))}')])
        return buses[name]

    def _known_api(self, api: str) -> None:
        apis = self.landscape.apis()
        if api not in apis:
            hint = did_you_mean(api, list(apis)) or f": known are {', '.join(apis)}"
            raise InputError([Problem("API", 0, f'unknown API "{api}"{hint}')])

    def _current(self, role: str) -> Credentials:
        held = self._issued.get(role)
        if held is None or held.expiration - self.clock() < RENEW_BEFORE:
            held = self._issued[role] = self.credentials(role)
        return held


def session_name(user: str) -> str:
    """The user's name as far as a RoleSessionName can hold it (AssumeRole: 2 to 64 of `[\\w+=,.@-]`)."""
    allowed = _NOT_OF_SESSION_NAME.sub("-", user.strip())[:64]
    return allowed if len(allowed) >= 2 else "developer"


def _plain_session() -> requests.Session:
    """Without the user's proxies and .netrc: they are not meant for loopback, and would see the operator's token."""
    session = requests.Session()
    session.trust_env = False
    return session


@contextmanager
def _answering(url: str) -> Iterator[None]:
    """Raises `NotRunning` where the landscape does not answer, or ends while it does."""
    try:
        yield
    except requests.RequestException as error:
        raise NotRunning(no_answer(url, error)) from error


def no_answer(url: str, error: requests.RequestException) -> str:
    """One line for what `requests` tells in many nested ones."""
    if isinstance(error, requests.HTTPError):
        return f"{url} answered {error}: is it the landscape of this folder? see: harness status"
    if isinstance(error, requests.Timeout):
        return f"{url} did not answer in time: see what it does with: harness logs"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"{url} ended in the middle of its answer: see what runs with: harness status"
    return f"nothing answers at {url}: see what runs with: harness status"


def _answers(url: str) -> bool:
    try:
        with _plain_session() as http:
            return http.get(url + HEALTH_PATH, timeout=5).ok
    except requests.RequestException:
        return False
