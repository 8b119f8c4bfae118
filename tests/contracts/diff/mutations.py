"""Changes that are known to break a contract, made to real ones at random but repeatable places."""

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Document = dict[str, Any]
Mutation = Callable[[Document, Random], bool]
"""Changes the document in place; False when it has no such place."""

METHODS = ("get", "put", "post", "delete", "patch")


def operations(document: Document) -> Iterator[Document]:
    for item in document["paths"].values():
        yield from (item[method] for method in METHODS if method in item)


def target(document: Document, value: Any) -> Any:
    while isinstance(value, dict) and "$ref" in value:
        found: Any = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value


def bodies(document: Document) -> Iterator[Any]:
    for operation in operations(document):
        body = target(document, operation.get("requestBody", {}))
        yield from (media["schema"] for media in body.get("content", {}).values() if "schema" in media)


def answers(document: Document) -> Iterator[Document]:
    for operation in operations(document):
        yield from (target(document, response) for response in operation["responses"].values())


def answered(document: Document) -> Iterator[Any]:
    for answer in answers(document):
        yield from (media["schema"] for media in answer.get("content", {}).values() if "schema" in media)


def schemas(document: Document, roots: Iterator[Any]) -> list[Document]:
    """Every schema that values of the roots must keep, each once."""
    found: dict[int, Document] = {}
    pending = list(roots)
    while pending:
        schema = target(document, pending.pop())
        if not isinstance(schema, dict) or id(schema) in found:
            continue
        found[id(schema)] = schema
        pending += [*schema.get("properties", {}).values(), schema.get("items"), *schema.get("allOf", ())]
    return list(found.values())


def chosen(random: Random, places: list[Any]) -> Any:
    return random.choice(places) if places else None


def drop_operation(document: Document, random: Random) -> bool:
    path = random.choice(list(document["paths"]))
    item = document["paths"][path]
    del item[random.choice([method for method in METHODS if method in item])]
    return True


def drop_path(document: Document, random: Random) -> bool:
    del document["paths"][random.choice(list(document["paths"]))]
    return True


def drop_success(document: Document, random: Random) -> bool:
    operation = random.choice(list(operations(document)))
    status = next(status for status in operation["responses"] if str(status).startswith("2"))
    del operation["responses"][status]
    return True


def require_parameter(document: Document, random: Random) -> bool:
    operation = random.choice(list(operations(document)))
    added = {"name": "tenant", "in": random.choice(["query", "header"]), "required": True, "schema": {"type": "string"}}
    operation["parameters"] = [*operation.get("parameters", []), added]
    return True


def parameter(document: Document, random: Random) -> Any:
    listed = [target(document, one) for operation in operations(document) for one in operation.get("parameters", ())]
    return chosen(random, [one for one in listed if one["in"] != "path" and not one.get("required")])


def parameter_must_be_there(document: Document, random: Random) -> bool:
    found = parameter(document, random)
    if found is None:
        return False
    found["required"] = True
    return True


def parameter_of_another_name(document: Document, random: Random) -> bool:
    found = parameter(document, random)
    if found is None:
        return False
    found["name"] += "X"
    return True


def narrower_parameter(document: Document, random: Random) -> bool:
    found = parameter(document, random)
    if found is None:
        return False
    found["schema"] = {"const": "one-value-alone"}
    return True


def drop_answered(document: Document, random: Random) -> bool:
    places = [schema for schema in schemas(document, answered(document)) if schema.get("required")]
    schema = chosen(random, places)
    if schema is None:
        return False
    name = random.choice(schema["required"])
    schema["required"] = [other for other in schema["required"] if other != name]
    if random.random() < 0.5:
        schema["properties"].pop(name)
    return True


def answer_null(document: Document, random: Random) -> bool:
    places = [schema for schema in schemas(document, answered(document)) if isinstance(schema.get("type"), str)]
    schema = chosen(random, [schema for schema in places if "enum" not in schema])
    if schema is None:
        return False
    schema["type"] = [schema["type"], "null"]
    return True


def answer_another_type(document: Document, random: Random) -> bool:
    scalars = ("string", "integer", "number", "boolean")
    places = [schema for schema in schemas(document, answered(document)) if schema.get("type") in scalars]
    schema = chosen(random, places)
    if schema is None:
        return False
    schema.pop("enum", None)
    schema["type"] = "array"
    return True


def answer_another_value(document: Document, random: Random) -> bool:
    schema = chosen(random, [schema for schema in schemas(document, answered(document)) if "enum" in schema])
    if schema is None:
        return False
    schema["enum"] = [*schema["enum"], "another"]
    return True


def ask_for_more(document: Document, random: Random) -> bool:
    places = [schema for schema in schemas(document, bodies(document)) if "properties" in schema]
    schema = chosen(random, places)
    if schema is None:
        return False
    schema["properties"]["tenant"] = {"type": "string"}
    schema["required"] = [*schema.get("required", []), "tenant"]
    return True


def ask_for_what_was_optional(document: Document, random: Random) -> bool:
    places = [
        (schema, name)
        for schema in schemas(document, bodies(document))
        for name in schema.get("properties", {})
        if name not in schema.get("required", ())
    ]
    found = chosen(random, places)
    if found is None:
        return False
    schema, name = found
    schema["required"] = [*schema.get("required", []), name]
    return True


def take_less(document: Document, random: Random) -> bool:
    limits = {"maxLength": 0, "maximum": 0, "maxItems": 0}
    places = [
        (schema, limit)
        for schema in schemas(document, bodies(document))
        for limit in limits
        if schema.get(limit, 0) > 1
    ]
    found = chosen(random, places)
    if found is None:
        return False
    schema, limit = found
    schema[limit] = schema[limit] - 1
    return True


def another_media_type(document: Document, random: Random) -> bool:
    places = [answer for answer in answers(document) if "application/json" in answer.get("content", {})]
    answer = chosen(random, places)
    if answer is None:
        return False
    answer["content"]["application/xml"] = answer["content"].pop("application/json")
    return True


def drop_header(document: Document, random: Random) -> bool:
    places = [
        (answer, name)
        for answer in answers(document)
        for name, header in answer.get("headers", {}).items()
        if target(document, header).get("required")
    ]
    found = chosen(random, places)
    if found is None:
        return False
    answer, name = found
    del answer["headers"][name]
    return True


def other_credentials(document: Document, random: Random) -> bool:
    scheme = next(iter(document["components"]["securitySchemes"].values()))
    scheme["name"] = "X-Other"
    return True


MUTATIONS: dict[str, Mutation] = {
    mutation.__name__.replace("_", " "): mutation
    for mutation in (
        drop_operation,
        drop_path,
        drop_success,
        require_parameter,
        parameter_must_be_there,
        parameter_of_another_name,
        narrower_parameter,
        drop_answered,
        answer_null,
        answer_another_type,
        answer_another_value,
        ask_for_more,
        ask_for_what_was_optional,
        take_less,
        another_media_type,
        drop_header,
        other_credentials,
    )
}


def mutated(document: Document, mutation: Mutation, seed: int) -> Document | None:
    changed = copy.deepcopy(document)
    return changed if mutation(changed, Random(seed)) else None
