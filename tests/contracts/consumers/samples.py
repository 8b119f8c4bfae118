"""A small provider and its consumers, made from the data of cases."""

import copy
import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from harness.contracts.consumers import (
    ApiChange,
    ApiContract,
    EventChange,
    EventContractFile,
    Footprint,
    Provider,
    Subscription,
    hurt_by_api,
    hurt_by_event,
    pact_uses,
    published,
    read_pact_file,
    recorded_uses,
)
from harness.contracts.diff import diff_contracts, read_contract
from harness.contracts.field_path import parse_field_path
from harness.contracts.finding import Finding, Level, Source
from harness.contracts.release import Mode, ReleasedSchema, incompatibilities
from harness.contracts.schemas import load_schema
from harness.contracts.usage import Usage, parse_usage

TODAY = date(2026, 1, 20)


def changed(document: Any, changes: Mapping[str, Any]) -> Any:
    """`remove`: JSON pointers; `set`: values by pointer. The document itself stays as it is."""
    document = copy.deepcopy(document)
    for pointer in changes.get("remove", []):
        owner, step = _owner(document, pointer)
        del owner[step]
    for pointer, value in changes.get("set", {}).items():
        owner, step = _owner(document, pointer)
        owner[step] = value
    return document


def _owner(document: Any, pointer: str) -> tuple[Any, Any]:
    *steps, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    for step in steps:
        document = document[int(step) if isinstance(document, list) else step]
    return document, int(last) if isinstance(document, list) else last


def api(document: Any, version: str = "v1") -> ApiContract:
    text = json.dumps(document)
    return ApiContract(version, f"shop/{version}/openapi.yaml", lambda _: text)


def event(schema: Any, name: str = "OrderPlaced.v1") -> EventContractFile:
    source = schema.get("x-event", {}).get("source", "")
    return EventContractFile("shop", name, load_schema(f"shop/events/{name}.json", json.dumps(schema)), source)


def pact_text(consumer: str, interactions: Iterable[Mapping[str, Any]]) -> str:
    named = [{"description": f"interaction {number}", **each} for number, each in enumerate(interactions)]
    return json.dumps({"consumer": {"name": consumer}, "provider": {"name": "shop"}, "interactions": named})


def usages(lines: Iterable[Mapping[str, Any]]) -> tuple[Usage, ...]:
    return parse_usage("".join(json.dumps(line) + "\n" for line in lines), file="recorded")


def footprints(provider: Provider, consumers: Mapping[str, Any]) -> list[Footprint]:
    """Of each consumer its `pact` (interactions), `recorded` (lines) and `rules`."""
    found = []
    for name, said in consumers.items():
        pact = read_pact_file(pact_text(name, said.get("pact", [])), file=f"{name}.pact.json")
        operations = {version: contract.operations for version, contract in provider.versions.items()}
        uses = [
            *pact_uses(pact, operations, provider.events),
            *recorded_uses(
                name,
                "shop",
                f"{name}.recorded.jsonl",
                usages(said.get("recorded", [])),
                today=TODAY,
                forget_after_days=90,
            ),
        ]
        rules = tuple(subscription(name, rule) for rule in said.get("rules", []))
        found.append(Footprint(name, "shop", tuple(uses), rules))
    return found


def subscription(consumer: str, rule: Mapping[str, Any]) -> Subscription:
    reads = {name: parse_field_path(path) for name, path in rule["reads"].items()} if "reads" in rule else None
    return Subscription(consumer, rule.get("rule", "on-orders"), rule["pattern"], Source("domain.yaml", 3), reads)


def hurt_of_api(old: Any, new: Any, consumers: Mapping[str, Any]) -> dict[str, str]:
    """Every finding of the diff that is not safe, crossed with every consumer."""
    before, after = api(old), api(new)
    provider = Provider("shop", {"v1": before}, {})
    known = footprints(provider, consumers)
    found = diff_contracts(
        read_contract(before.file, before.read), read_contract(after.file, after.read), today=TODAY
    ).findings
    hurt: dict[str, str] = {}
    for finding in found:
        if finding.level is not Level.SAFE:
            _add(hurt, hurt_by_api(finding, ApiChange("v1", before, after), known))
    return hurt


def hurt_of_event(old: Any, new: Any, consumers: Mapping[str, Any]) -> dict[str, str]:
    before, after = event(old), event(new)
    known = footprints(Provider("shop", {}, {"OrderPlaced.v1": before}), consumers)
    was, now = published([before, after])
    findings: tuple[Finding, ...] = incompatibilities(
        "OrderPlaced.v1", [ReleasedSchema("release", before.detail)], after.detail, Mode.FULL
    )
    hurt: dict[str, str] = {}
    for finding in findings:
        _add(hurt, hurt_by_event(finding, EventChange("OrderPlaced.v1", was, now), known))
    return hurt


def _add(hurt: dict[str, str], found: Iterable[Any]) -> None:
    for each in found:
        if each.certain or each.consumer not in hurt:
            hurt[each.consumer] = "breaks" if each.certain else "may break"
