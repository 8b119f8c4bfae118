"""The applications keep to their contracts, and the contracts' examples to themselves."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from openapi_spec_validator import validate
from sqlalchemy import create_engine

import orders.application
import orders.settings
import stock.application
import stock.settings
from kit.openapi import openapi_of
from tests.domains.openapi_comparison import disagreements

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
VERSIONS = sorted(path.parent.relative_to(CONTRACTS).as_posix() for path in CONTRACTS.glob("*/v*/openapi.yaml"))
EVENTS = sorted(path.relative_to(CONTRACTS).as_posix() for path in CONTRACTS.glob("*/events/*.json"))
SETTINGS = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
    "EVENT_BUS_ARN": "arn:aws:events:eu-west-1:999999999999:event-bus/enterprise",
    "STOCK_API_URL": "http://127.0.0.1:1",
    "AWS_REGION": "eu-west-1",
}


def application_of(domain: str) -> dict[str, Any]:
    """The application's own document; nothing is connected to."""
    engine = create_engine("postgresql+psycopg://")
    if domain == "orders":
        return openapi_of(orders.application.build(orders.settings.Settings.read(SETTINGS), engine))
    return openapi_of(stock.application.build(stock.settings.Settings.read(SETTINGS), engine))


def contract_of(version: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load((CONTRACTS / version / "openapi.yaml").read_text(), yaml.CSafeLoader)
    return document


@pytest.mark.parametrize("version", VERSIONS)
def test_the_application_says_what_its_contract_says(version: str) -> None:
    assert list(disagreements(application_of(version.split("/")[0]), contract_of(version))) == []


def test_every_version_of_an_application_has_a_contract() -> None:
    offered = {
        f"{domain}/{path.split('/')[1]}" for domain in ("orders", "stock") for path in application_of(domain)["paths"]
    }
    assert offered == set(VERSIONS)


def _without_status(contract: dict[str, Any]) -> None:
    del contract["paths"]["/orders"]["post"]["responses"]["422"]


def _another_status(contract: dict[str, Any]) -> None:
    contract["paths"]["/orders"]["post"]["responses"]["202"] = {"description": "Taken."}


def _larger_quantity(contract: dict[str, Any]) -> None:
    contract["components"]["schemas"]["NewLine"]["properties"]["quantity"]["maximum"] = 101


def _optional_quantity(contract: dict[str, Any]) -> None:
    contract["components"]["schemas"]["NewLine"]["required"] = ["sku"]


def _open_body(contract: dict[str, Any]) -> None:
    del contract["components"]["schemas"]["NewOrder"]["additionalProperties"]


def _text_for_number(contract: dict[str, Any]) -> None:
    contract["components"]["schemas"]["Line"]["properties"]["quantity"] = {"type": "string"}


def _another_pattern(contract: dict[str, Any]) -> None:
    contract["components"]["parameters"]["Cursor"]["schema"]["pattern"] = "^[a-z]{8}$"


def _another_default(contract: dict[str, Any]) -> None:
    contract["components"]["parameters"]["Limit"]["schema"]["default"] = 20


def _missing_parameter(contract: dict[str, Any]) -> None:
    contract["paths"]["/orders"]["get"]["parameters"].pop()


def _missing_header(contract: dict[str, Any]) -> None:
    del contract["paths"]["/orders"]["post"]["responses"]["201"]["headers"]


def _another_operation(contract: dict[str, Any]) -> None:
    contract["paths"]["/orders/{orderId}"]["delete"] = {"operationId": "cancel", "responses": {}}


@pytest.mark.parametrize(
    "plant",
    [
        _without_status,
        _another_status,
        _larger_quantity,
        _optional_quantity,
        _open_body,
        _text_for_number,
        _another_pattern,
        _another_default,
        _missing_parameter,
        _missing_header,
        _another_operation,
    ],
    ids=lambda plant: plant.__name__.strip("_").replace("_", " "),
)
def test_a_planted_difference_is_found(plant: Callable[[dict[str, Any]], None]) -> None:
    contract = contract_of("orders/v2")
    assert not list(disagreements(application_of("orders"), contract))
    plant(contract)
    assert list(disagreements(application_of("orders"), contract))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_contract_is_openapi(version: str) -> None:
    validate(contract_of(version))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_examples_of_the_contract_are_valid(version: str) -> None:
    contract = contract_of(version)
    checked = 0
    for place, schema, example in _examples(contract, contract, version):
        resolved = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        resolved["components"] = contract["components"]
        errors = [str(e) for e in jsonschema_rs.validator_for(resolved, validate_formats=True).iter_errors(example)]
        assert errors == [], place
        checked += 1
    assert checked >= 12


@pytest.mark.parametrize("file", EVENTS)
def test_the_examples_of_an_event_are_valid(file: str) -> None:
    schema = json.loads((CONTRACTS / file).read_text())
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    assert schema["examples"]
    for example in schema["examples"]:
        validator.validate(example)


def _examples(contract: dict[str, Any], node: Any, place: str) -> Iterator[tuple[str, dict[str, Any], Any]]:
    if isinstance(node, dict):
        if "schema" in node and "example" in node:
            yield place, node["schema"], node["example"]
        for key, value in node.items():
            yield from _examples(contract, value, f"{place}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _examples(contract, value, f"{place}/{index}")
