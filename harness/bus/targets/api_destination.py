"""An API destination as a target: an HTTPS request with the credentials of its connection, no faster than it allows.

Source: EventBridge user guide, "API destinations": 5 seconds, the headers, which answers are tried again, Retry-After.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from harness.bus import documents
from harness.bus.catalogue import Catalogue
from harness.bus.documents import Document
from harness.bus.routes import Route
from harness.bus.store import Delivery
from harness.bus.targets.credentials import Credentials, Tokens
from harness.bus.targets.delivery import Failure
from harness.bus.targets.http_parameters import Outgoing, of_connection, outgoing
from harness.bus.targets.roles import Roles
from harness.clock import Clock, utc_now
from harness.http_client import Answer, HttpClient, TargetUnreachable
from harness.identity import RecentlyUsed, SecretBox

TIMEOUT_SECONDS = 5.0
DEFAULT_RATE = 300
# Destinations come and go: what is remembered of them is bounded.
MOST_PACED = 4096
_SECONDS = re.compile(r"-?[0-9]+", re.ASCII)
USABLE = ("AUTHORIZED", "AUTHORIZING")


class Pace:
    """So many a second, evenly spread. This process's: each router has its own."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._next: RecentlyUsed[str, float] = RecentlyUsed(MOST_PACED)

    async def wait(self, name: str, rate: float) -> None:
        now = self._time()
        due = max(now, self._next.get(name) or 0.0)
        self._next.put(name, due + 1 / rate)
        if due > now:
            await asyncio.sleep(due - now)


class ApiDestinationDelivery:
    def __init__(
        self,
        client: HttpClient,
        catalogue: Catalogue,
        roles: Roles,
        box: SecretBox,
        tokens: Tokens,
        *,
        clock: Clock = utc_now,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._roles = roles
        self._box = box
        self._tokens = tokens
        self._clock = clock
        self._timeout = timeout
        self._pace = Pace(asyncio.get_running_loop().time)

    async def __call__(self, route: Route, delivery: Delivery) -> Failure | None:
        found = self._find(route)
        if isinstance(found, Failure):
            return found
        destination, connection = found
        await self._pace.wait(route.target.arn, destination.get("InvocationRateLimitPerSecond") or DEFAULT_RATE)
        account = connection["Account"]
        parameters = self._secret(account, connection)
        if parameters is None:
            return Failure("NO_PERMISSIONS", f"the secret of {connection['Arn']} does not open", retryable=False)
        secret = connection["Secret"]
        proof = await self._tokens.credentials(secret, connection["AuthorizationType"], parameters)
        if isinstance(proof, Failure):
            return proof
        request = outgoing(
            method=destination["HttpMethod"],
            endpoint=destination["InvocationEndpoint"],
            target=route.target.settings.get("HttpParameters"),
            connection=of_connection(parameters.get("InvocationHttpParameters")),
            credentials=proof.headers,
            body=delivery.body,
            event=delivery.whole,
            trace=delivery.trace,
        )
        if isinstance(request, str):
            return Failure("INVALID_PARAMETER", f"{route.target.arn}: {request}", retryable=False)
        return await self._send(request, destination["InvocationEndpoint"], secret, proof)

    def _find(self, route: Route) -> tuple[Document, Document] | Failure:
        """The destination and its connection, the latter with its `Arn` and `Account`."""
        target = route.target
        destination = self._named(target.arn, "api-destination")
        if destination is None:
            return Failure("NO_RESOURCE", f"The API destination {target.arn} does not exist.", retryable=False)
        if not destination["InvocationEndpoint"].startswith("https://"):
            return Failure("INVALID_PARAMETER", "An API destination is an https:// address.", retryable=False)
        if not target.role_arn:
            text = f"RoleArn is required for target {target.arn}."
            return Failure("NO_PERMISSIONS", text, retryable=False)
        refused = self._roles.refusal(
            route.rule, target.role_arn, action="events:InvokeApiDestination", resource=target.arn
        )
        if refused is not None:
            return refused
        arn = destination["ConnectionArn"]
        connection = self._named(arn, "connection")
        if connection is None:
            return Failure("NO_RESOURCE", f"The connection {arn} does not exist.", retryable=False)
        if connection.get("ConnectionState") not in USABLE or "Secret" not in connection:
            state = connection.get("ConnectionState")
            return Failure("NO_PERMISSIONS", f"The connection {arn} is {state}.", retryable=False)
        return destination, {**connection, "Arn": arn, "Account": arn.split(":")[4]}

    def _named(self, arn: str, kind: str) -> Document | None:
        """The ARN ends in the id of this very one: another that has its name now is not meant."""
        account, rest = arn.split(":", 5)[4:]
        name, _, identifier = rest.removeprefix(f"{kind}/").partition("/")
        found = self._catalogue.document(("events", kind, account, name))
        return found if found is not None and found.get("Id") == identifier else None

    def _secret(self, account: str, connection: Document) -> Document | None:
        entry = self._catalogue.entry(documents.secret_key(account, connection["Secret"]))
        return None if entry is None else documents.open_secret(self._box, entry)

    async def _send(self, request: Outgoing, endpoint: str, secret: str, proof: Credentials) -> Failure | None:
        # The endpoint as it was given: parameters may hold secrets.
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._client.request(request.method, request.url, request.headers, request.body)
        except TimeoutError:
            return Failure("TIMEOUT", f"{endpoint} did not answer within {self._timeout:g} s")
        except TargetUnreachable as error:
            return Failure("CONNECTION_FAILURE", f"{endpoint} cannot be reached: {error}")
        if answer.status in (401, 407):
            self._tokens.forget(secret)
            if proof.reused:
                return Failure("ERROR_FROM_TARGET", f"{endpoint} answered {answer.status}: the token is renewed")
        return judged(answer, endpoint, self._clock())


def judged(answer: Answer, endpoint: str, now: datetime) -> Failure | None:
    """429 and 5xx are tried again, when the target says so; nothing else is."""
    if 200 <= answer.status < 300:
        return None
    text = f"{endpoint} answered {answer.status}"
    if answer.status != 429 and answer.status < 500:
        return Failure("ERROR_FROM_TARGET", text, retryable=False)
    seconds = retry_after(answer.headers.get("retry-after", ""), now)
    code = "THROTTLING" if answer.status == 429 else "ERROR_FROM_TARGET"
    return Failure(code, text, retryable=seconds >= 0, not_before=max(seconds, 0.0))


def retry_after(value: str, now: datetime) -> float:
    """Seconds, or until a date (RFC 9110, section 10.2.3); 0 for what is neither. Below 0: not again."""
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value[:12])
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # a year or an offset of any length
        return 0.0
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())
