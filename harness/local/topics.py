"""Topics in a process of the landscape: what filter policies are, and the ways to subscribers."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import orjson

from harness.access import Authority
from harness.bus.patterns.pattern import Pattern, PatternError, compile_pattern
from harness.http_client import HttpClient, TargetUnreachable
from harness.local.owners import Owners
from harness.queues.message import Attribute
from harness.queues.sender import Sender
from harness.storage.connection import Connection
from harness.topics.api import TopicsApi
from harness.topics.filtering import Matches
from harness.topics.jetstream import JetStreamOutbox
from harness.topics.notifier import Failure, Notifier, Post, SendToQueue
from harness.topics.registry import Registry
from harness.topics.signing import Signer, certificate_in

SERVICE = "sns.amazonaws.com"
# Amazon SNS Developer Guide: an endpoint has 15 seconds to answer.
PATIENCE_SECONDS = 15.0


async def topics(
    connection: Connection, registry: Registry, authority: Authority, *, region: str, signing: bytes
) -> TopicsApi:
    """`signing`: the key of messages with its certificate, which the edge hands out."""
    outbox = JetStreamOutbox(connection)
    await outbox.prepare()
    certificate = certificate_in(signing)
    return TopicsApi(authority, registry, outbox, compile=compile_filter, region=region, certificate=certificate)


@asynccontextmanager
async def notifier(
    connection: Connection, registry: Registry, sender: Sender, owners: Owners, *, signing: bytes, speed: float
) -> AsyncIterator[Notifier]:
    """`owners`: of the containers that run here, of which each takes messages for its own account alone."""
    client = HttpClient(tls=ssl.create_default_context())
    try:
        yield Notifier(
            registry,
            JetStreamOutbox(connection),
            compile=compile_filter,
            send=for_topics(sender),
            post=posting(client, owners),
            signer=Signer(signing),
            speed=speed,
        )
    finally:
        await client.close()


def compile_filter(policy: Mapping[str, Any]) -> Matches | str:
    try:
        text = orjson.dumps(policy)
    except orjson.JSONEncodeError:  # it writes 254 levels at most
        return "Filter policy is nested too deeply"
    compiled = _compiled(text)
    return compiled if isinstance(compiled, str) else compiled.matches


@lru_cache(maxsize=1024)
def _compiled(policy: bytes) -> Pattern | str:
    try:
        return compile_pattern(policy.decode(), characters=None)
    except PatternError as error:
        return error.text


def for_topics(sender: Sender) -> SendToQueue:
    """Sends on behalf of a topic, as SNS does."""

    async def send(
        queue: str,
        body: str,
        *,
        topic: str,
        once: str,
        attributes: Mapping[str, tuple[str, str]],
        group: str,
        deduplication: str,
    ) -> str | None:
        refused = await sender.send(
            queue,
            body,
            service=SERVICE,
            source_arn=topic,
            attributes={name: Attribute(*pair) for name, pair in attributes.items()},
            group=group,
            deduplication=deduplication,
            once=once,
        )
        return None if refused is None else refused.message

    return send


def posting(client: HttpClient, owners: Owners) -> Post:
    async def post(url: str, headers: Sequence[tuple[str, str]], body: bytes, *, account: str) -> int | Failure:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await owners.of(url)
                if found.owner not in (None, account):
                    # On AWS nothing in a private network can be reached from SNS at all.
                    whose = "another account" if found.owner else "the landscape"
                    return Failure(f"{url} is in the private network of {whose}", final=True)
                return (await client.post(url, headers, body, at=found.addresses)).status
        except TimeoutError:
            return Failure(f"{url} did not answer within {PATIENCE_SECONDS:g} s")
        except (TargetUnreachable, OSError) as error:
            return Failure(f"{url}: {error}")
        except ValueError as error:  # a name that no DNS holds (UnicodeError), or what would be another request
            return Failure(f"{url}: {error}", final=True)

    return post
