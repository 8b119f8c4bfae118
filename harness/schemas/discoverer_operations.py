"""The operations on discoverers: one for a bus, in the bus's own account."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from harness.schemas.discoverers import Discoverers, discoverer_id
from harness.schemas.model import Discoverer, discoverer_arn
from harness.schemas.paging import page
from harness.schemas.requests import Call, Refusal, bad_request, not_found
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.state import Conflict

Answer = Mapping[str, Any] | Refusal

UNAVAILABLE = Refusal(503, "ServiceUnavailableException", "The service cannot remember anything now: try again.")
_ARN_CHARACTERS = range(20, 1601)
_DESCRIPTION_CHARACTERS = 256
# AWS General Reference, "Tag your AWS resources".
_MOST_TAGS, _KEY_CHARACTERS, _VALUE_CHARACTERS = 50, range(1, 129), 256


class DiscovererOperations:
    def __init__(self, discoverers: Discoverers, *, region: str, buses: Callable[[], Collection[str]]) -> None:
        self._discoverers = discoverers
        self._region = region
        self._buses = buses

    def table(self) -> Mapping[str, Callable[[Call, str], Answer | Awaitable[Answer]]]:
        return {
            "CreateDiscoverer": self._create,
            "DescribeDiscoverer": self._describe,
            "ListDiscoverers": self._list,
            "UpdateDiscoverer": self._update,
            "StartDiscoverer": self._start,
            "StopDiscoverer": self._stop,
            "DeleteDiscoverer": self._delete,
        }

    async def _create(self, call: Call, account: str) -> Answer:
        given = _checked(call.body)
        if isinstance(given, Refusal):
            return given
        source = call.body.get("SourceArn")
        if not isinstance(source, str) or len(source) not in _ARN_CHARACTERS:
            return bad_request("SourceArn must have 20 to 1600 characters.")
        if source not in self._buses() or source.split(":")[4] != account:
            return bad_request(f"SourceArn {source} is no event bus of the account {account}.")
        discoverer = Discoverer(discoverer_id(source), account, source, **given)
        try:
            await self._discoverers.create(discoverer)
        except Conflict:
            return Refusal(409, "ConflictException", f"Discoverer with id {discoverer.id} already exists.")
        except (StoreUnavailable, StoreFull):
            return UNAVAILABLE
        return self._told(discoverer)

    def _describe(self, call: Call, account: str) -> Answer:
        found = self._found(call, account)
        return found if isinstance(found, Refusal) else self._told(found)

    def _list(self, call: Call, account: str) -> Answer:
        ids, sources = call.query.get("discovererIdPrefix", ""), call.query.get("sourceArnPrefix", "")
        found = [
            each
            for each in self._discoverers.all(account)
            if each.id.startswith(ids) and each.source_arn.startswith(sources)
        ]
        paged = page(found, lambda each: each.id, call.query)
        if isinstance(paged, Refusal):
            return paged
        shown, more = paged
        summaries = [
            {name: value for name, value in self._told(each).items() if name != "Description"} for each in shown
        ]
        return {"Discoverers": summaries, **more}

    async def _update(self, call: Call, account: str) -> Answer:
        given = _checked(call.body)
        if isinstance(given, Refusal):
            return given
        given.pop("tags", None)
        return await self._changed(call, account, given)

    async def _start(self, call: Call, account: str) -> Answer:
        return _state(await self._changed(call, account, {"started": True}))

    async def _stop(self, call: Call, account: str) -> Answer:
        return _state(await self._changed(call, account, {"started": False}))

    async def _changed(self, call: Call, account: str, changes: Mapping[str, Any]) -> Answer:
        found = self._found(call, account)
        if isinstance(found, Refusal):
            return found
        changed = replace(found, **changes)
        try:
            await self._discoverers.replace(changed)
        except (StoreUnavailable, StoreFull):
            return UNAVAILABLE
        return self._told(changed)

    async def _delete(self, call: Call, account: str) -> Answer:
        found = self._found(call, account)
        if isinstance(found, Refusal):
            return found
        try:
            await self._discoverers.delete(found)
        except (StoreUnavailable, StoreFull):
            return UNAVAILABLE
        return {}

    def _found(self, call: Call, account: str) -> Discoverer | Refusal:
        id = call.path["discovererId"]
        return self._discoverers.get(account, id) or not_found(f"Discoverer with id {id} does not exist.")

    def _told(self, discoverer: Discoverer) -> dict[str, Any]:
        return {
            "CrossAccount": discoverer.cross_account,
            "Description": discoverer.description,
            "DiscovererArn": discoverer_arn(self._region, discoverer.account, discoverer.id),
            "DiscovererId": discoverer.id,
            "SourceArn": discoverer.source_arn,
            "State": "STARTED" if discoverer.started else "STOPPED",
            "tags": dict(discoverer.tags),
        }


def _state(answer: Answer) -> Answer:
    if isinstance(answer, Refusal):
        return answer
    return {name: answer[name] for name in ("DiscovererId", "State")}


def _checked(body: Mapping[str, Any]) -> dict[str, Any] | Refusal:
    """What is given of the members that can be chosen."""
    given: dict[str, Any] = {}
    description = body.get("Description")
    if description is not None:
        if not isinstance(description, str) or len(description) > _DESCRIPTION_CHARACTERS:
            return bad_request(f"Description must have at most {_DESCRIPTION_CHARACTERS} characters.")
        given["description"] = description
    cross_account = body.get("CrossAccount")
    if cross_account is not None:
        if not isinstance(cross_account, bool):
            return bad_request("CrossAccount must be true or false.")
        given["cross_account"] = cross_account
    tags = body.get("tags")
    if tags is not None:
        if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
            return bad_request("tags must be a map of texts.")
        if len(tags) > _MOST_TAGS:
            return bad_request(f"There may be at most {_MOST_TAGS} tags.")
        if any(len(key) not in _KEY_CHARACTERS or len(value) > _VALUE_CHARACTERS for key, value in tags.items()):
            return bad_request(f"A tag has a key of 1 to 128 characters and a value of up to {_VALUE_CHARACTERS}.")
        given["tags"] = tags
    return given
