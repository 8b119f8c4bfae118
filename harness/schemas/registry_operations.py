"""The operations that read registries, and the one that infers a schema from events it is given."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson

from harness.clock import extended_iso
from harness.schemas.documents import DRAFT_4, TYPES, of_anything, of_shape
from harness.schemas.model import Registry, Schema, Version, registry_arn, schema_arn
from harness.schemas.paging import page
from harness.schemas.requests import Call, Refusal, bad_request, not_found
from harness.schemas.shape import MOST_LEVELS, levels, merge, shape_of

Answer = Mapping[str, Any] | Refusal

MOST_EVENTS = 10


class RegistryOperations:
    def __init__(self, registries: Collection[Registry], *, region: str) -> None:
        self._registries = {registry.name: registry for registry in sorted(registries, key=lambda each: each.name)}
        self._region = region

    def table(self) -> Mapping[str, Callable[[Call, str], Answer]]:
        return {
            "ListRegistries": self._list_registries,
            "DescribeRegistry": self._describe_registry,
            "ListSchemas": self._list_schemas,
            "SearchSchemas": self._search_schemas,
            "DescribeSchema": self._describe_schema,
            "ListSchemaVersions": self._list_schema_versions,
            "ExportSchema": self._export_schema,
        }

    def _list_registries(self, call: Call, account: str) -> Answer:
        scope = call.query.get("scope", "LOCAL")
        if scope not in ("LOCAL", "AWS"):
            return bad_request("Scope must be LOCAL or AWS.")
        prefix = call.query.get("registryNamePrefix", "")
        # AWS's own registry, aws.events, is not here.
        names = [name for name in self._registries if name.startswith(prefix)] if scope == "LOCAL" else []
        paged = page(names, str, call.query)
        if isinstance(paged, Refusal):
            return paged
        shown, more = paged
        return {"Registries": [self._registry_summary(name, account) for name in shown], **more}

    def _describe_registry(self, call: Call, account: str) -> Answer:
        registry = self._registry(call)
        if isinstance(registry, Refusal):
            return registry
        return {**self._registry_summary(registry.name, account), "Description": registry.description}

    def _list_schemas(self, call: Call, account: str) -> Answer:
        prefix = call.query.get("schemaNamePrefix", "")
        found = self._found(call, account, lambda schema: schema.name.startswith(prefix))
        if isinstance(found, Refusal):
            return found
        shown, more = found
        return {
            "Schemas": [
                {
                    **self._named(call, account, schema.name),
                    "LastModified": extended_iso(schema.newest.created),
                    "VersionCount": len(schema.versions),
                    "tags": {},
                }
                for schema in shown
            ],
            **more,
        }

    def _search_schemas(self, call: Call, account: str) -> Answer:
        """Every word must be in the name, the description or the newest document, in small or capital letters."""
        words = call.query.get("keywords", "").casefold().split()
        if not words:
            return bad_request("Keywords must have a word to look for.")
        registry = self._registry(call)
        if isinstance(registry, Refusal):
            return registry

        def holds(schema: Schema) -> bool:
            content = registry.content(account, schema.name, schema.newest.number, schema.type)
            text = f"{schema.name} {schema.description} {content}".casefold()
            return all(word in text for word in words)

        found = self._found(call, account, holds)
        if isinstance(found, Refusal):
            return found
        shown, more = found
        return {
            "Schemas": [
                {
                    **self._named(call, account, schema.name),
                    "RegistryName": registry.name,
                    "SchemaVersions": [
                        {
                            "CreatedDate": extended_iso(version.created),
                            "SchemaVersion": str(version.number),
                            "Type": schema.type,
                        }
                        for version in reversed(schema.versions)
                    ],
                }
                for schema in shown
            ],
            **more,
        }

    def _describe_schema(self, call: Call, account: str) -> Answer:
        found = self._version(call, account)
        if isinstance(found, Refusal):
            return found
        registry, schema, version = found
        return {
            **self._named(call, account, schema.name),
            "Content": registry.content(account, schema.name, version.number, schema.type),
            "Description": schema.description,
            "LastModified": extended_iso(schema.newest.created),
            "SchemaVersion": str(version.number),
            "Type": schema.type,
            "VersionCreatedDate": extended_iso(version.created),
            "tags": {},
        }

    def _list_schema_versions(self, call: Call, account: str) -> Answer:
        found = self._schema(call, account)
        if isinstance(found, Refusal):
            return found
        _, schema = found
        # By the number's place among all, newest first.
        numbered = [(f"{place:04d}", version) for place, version in enumerate(reversed(schema.versions))]
        paged = page(numbered, lambda item: item[0], call.query)
        if isinstance(paged, Refusal):
            return paged
        shown, more = paged
        named = self._named(call, account, schema.name)
        versions = [{**named, "SchemaVersion": str(version.number), "Type": schema.type} for _, version in shown]
        return {"SchemaVersions": versions, **more}

    def _export_schema(self, call: Call, account: str) -> Answer:
        if call.query.get("type") != DRAFT_4:
            return bad_request(f"Type must be {DRAFT_4}.")
        found = self._version(call, account)
        if isinstance(found, Refusal):
            return found
        registry, schema, version = found
        return {
            **self._named(call, account, schema.name),
            "Content": registry.content(account, schema.name, version.number, DRAFT_4),
            "SchemaVersion": str(version.number),
            "Type": DRAFT_4,
        }

    def _registry(self, call: Call) -> Registry | Refusal:
        name = call.path["registryName"]
        return self._registries.get(name) or not_found(f"Registry with name {name} does not exist.")

    def _schema(self, call: Call, account: str) -> tuple[Registry, Schema] | Refusal:
        registry = self._registry(call)
        if isinstance(registry, Refusal):
            return registry
        name = call.path["schemaName"]
        schema = registry.schema(account, name)
        return (registry, schema) if schema else not_found(f"Schema with name {name} does not exist.")

    def _version(self, call: Call, account: str) -> tuple[Registry, Schema, Version] | Refusal:
        """The one that is asked for, by default the newest."""
        found = self._schema(call, account)
        if isinstance(found, Refusal):
            return found
        registry, schema = found
        wanted = call.query.get("schemaVersion", str(schema.newest.number))
        for version in schema.versions:
            if str(version.number) == wanted:
                return registry, schema, version
        return not_found(f"Schema version {wanted} of {schema.name} does not exist.")

    def _found(
        self, call: Call, account: str, holds: Callable[[Schema], bool]
    ) -> tuple[Collection[Schema], Mapping[str, str]] | Refusal:
        registry = self._registry(call)
        if isinstance(registry, Refusal):
            return registry
        return page(
            [schema for schema in registry.schemas(account) if holds(schema)], lambda each: each.name, call.query
        )

    def _registry_summary(self, name: str, account: str) -> dict[str, Any]:
        return {"RegistryArn": registry_arn(self._region, account, name), "RegistryName": name, "tags": {}}

    def _named(self, call: Call, account: str, name: str) -> dict[str, Any]:
        return {"SchemaArn": schema_arn(self._region, account, call.path["registryName"], name), "SchemaName": name}


def get_discovered_schema(call: Call, account: str) -> Answer:
    """Of up to ten events as JSON texts; of events of one type their schema, of anything else that of the values."""
    events, kind = call.body.get("Events"), call.body.get("Type")
    if kind not in TYPES:
        return bad_request(f"Type must be one of {', '.join(TYPES)}.")
    if not isinstance(events, list) or not 1 <= len(events) <= MOST_EVENTS:
        return bad_request(f"Events must be a list of 1 to {MOST_EVENTS}.")
    values = []
    for text in events:
        try:
            value = orjson.loads(text) if isinstance(text, str) else None
        except orjson.JSONDecodeError:
            value = None
        if not isinstance(value, dict):
            return bad_request("Every event must be the text of a JSON object.")
        if levels(value) > MOST_LEVELS:
            return bad_request(f"An event is nested more than {MOST_LEVELS} deep.")
        values.append(value)
    types = [_type(value) for value in values]
    of_one = types[0] is not None and types.count(types[0]) == len(types)
    shape = shape_of(values[0]["detail"] if of_one else values[0])
    for value in values[1:]:
        shape = merge(shape, shape_of(value["detail"] if of_one else value))
    if types[0] is None or not of_one:
        return {"Content": of_anything(shape, kind)}
    return {"Content": of_shape(*types[0], shape, kind)}


def _type(value: Mapping[str, Any]) -> tuple[str, str] | None:
    source, detail_type = value.get("source"), value.get("detail-type")
    if isinstance(source, str) and isinstance(detail_type, str) and isinstance(value.get("detail"), dict):
        return source, detail_type
    return None
