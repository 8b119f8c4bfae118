"""Which items contract files become, in which order, and what is said of a file that cannot be read."""

import json
from pathlib import Path

import pytest

from tests.plugin.conftest import EVENT, Checked, Contracts, openapi, pact

SAMPLE = {
    "orders/events/OrderPlaced.v1.json": json.dumps(EVENT),
    "orders/v1/openapi.yaml": openapi(orders="list").replace("/v2", "/v1"),
    "orders/v2/openapi.yaml": openapi(**{"orders": "list", "orders/{id}": "get"}),
    "orders/consumers/storefront.pact.json": pact("an order is looked up"),
    "orders/states.yaml": "{}",
}


def listed(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line]


def test_every_operation_expectation_and_event_is_an_item_with_a_readable_id(
    contracts: Contracts, checked: Checked
) -> None:
    contracts(SAMPLE)

    assert listed(checked("--collect-only", "-q")) == [
        "contracts/orders/consumers/storefront.pact.json::an order is looked up",
        "contracts/orders/v1/openapi.yaml::GET /orders",
        "contracts/orders/v2/openapi.yaml::GET /orders",
        "contracts/orders/v2/openapi.yaml::GET /orders/{id}",
        "contracts/orders/events/OrderPlaced.v1.json::OrderPlaced.v1",
    ]


def test_events_are_judged_after_the_users_own_tests_too(
    contracts: Contracts, checked: Checked, pytester: pytest.Pytester
) -> None:
    contracts({"orders/events/OrderPlaced.v1.json": json.dumps(EVENT)})
    pytester.makepyfile(test_own="def test_own(): pass")

    assert [line.partition("::")[2] for line in listed(checked("--collect-only", "-q", "contracts", "."))] == [
        "test_own",
        "OrderPlaced.v1",
    ]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("v1 and openapi", ["contracts/orders/v1/openapi.yaml::GET /orders"]),
        ("OrderPlaced", ["contracts/orders/events/OrderPlaced.v1.json::OrderPlaced.v1"]),
        ("looked", ["contracts/orders/consumers/storefront.pact.json::an order is looked up"]),
        ("consumers or events", [*(f"contracts/orders/{name}" for name in (
            "consumers/storefront.pact.json::an order is looked up", "events/OrderPlaced.v1.json::OrderPlaced.v1"))]),
    ],
)  # fmt: skip
def test_items_are_chosen_by_words_of_their_file_and_name(
    word: str, found: list[str], contracts: Contracts, checked: Checked
) -> None:
    contracts(SAMPLE)

    assert listed(checked("--collect-only", "-q", "-k", word)) == found


def test_an_item_is_chosen_by_its_id(contracts: Contracts, checked: Checked) -> None:
    contracts(SAMPLE)

    result = checked("-v", "contracts/orders/v2/openapi.yaml::GET /orders")

    result.assert_outcomes(passed=1)


def test_interactions_of_one_description_are_told_apart_by_the_providers_state(
    contracts: Contracts, checked: Checked
) -> None:
    looked_up = "an order is looked up"
    contracts(
        {
            "orders/consumers/storefront.pact.json": pact(
                {"description": looked_up, "providerStates": [{"name": "it exists"}, {"name": "it is paid"}]},
                {"description": looked_up, "providerState": "it was never placed"},
                {"description": looked_up},
            )
        }
    )

    assert [line.partition("::")[2] for line in listed(checked("--collect-only", "-q"))] == [
        "an order is looked up (it exists, it is paid)",
        "an order is looked up (it was never placed)",
        "an order is looked up",
    ]


OTHERS = [
    pytest.param("tests/data/openapi.yaml", id="a file of that name elsewhere"),
    pytest.param("contracts/openapi.yaml", id="too high"),
    pytest.param("contracts/orders/openapi.yaml", id="without a version"),
    pytest.param("contracts/archive/orders/v2/openapi.yaml", id="too deep"),
    pytest.param("contracts/orders/v2/other.yaml", id="another name"),
    pytest.param("contracts/orders/consumers/notes.json", id="no pact"),
    pytest.param("contracts/orders/events/README.md", id="no schema"),
    pytest.param("src/events/a.json", id="events of another kind"),
]


@pytest.mark.parametrize("file", OTHERS)
def test_other_files_are_left_alone(file: str, pytester: pytest.Pytester, checked: Checked) -> None:
    path = pytester.path / file
    path.parent.mkdir(parents=True)
    path.write_text("{")

    assert checked().ret == pytest.ExitCode.NO_TESTS_COLLECTED


class TestAnotherLandscape:
    """A harness.yaml between the root folder and a contract: data of tests, or a landscape with a run of its own."""

    def test_below_the_root_folder_is_left_alone(self, contracts: Contracts, checked: Checked) -> None:
        folder = contracts({"orders/v2/openapi.yaml": openapi(orders="list")})
        inner = folder / "tests" / "cases"
        (folder / "contracts").rename(_made(inner) / "contracts")
        (inner / "harness.yaml").touch()

        assert checked().ret == pytest.ExitCode.NO_TESTS_COLLECTED

    def test_is_checked_when_it_is_the_one_that_is_named(self, contracts: Contracts, checked: Checked) -> None:
        folder = contracts({"orders/v2/openapi.yaml": openapi(orders="list")})
        inner = folder / "inner"
        (folder / "contracts").rename(_made(inner) / "contracts")
        (inner / "harness.yaml").touch()

        assert len(listed(checked("--collect-only", "-q", "--harness-file", "inner/harness.yaml"))) == 1

    def test_is_checked_where_the_root_folder_has_none(self, contracts: Contracts, checked: Checked) -> None:
        folder = contracts({"orders/v2/openapi.yaml": openapi(orders="list")})
        inner = folder / "inner"
        (folder / "contracts").rename(_made(inner) / "contracts")
        (folder / "harness.yaml").rename(inner / "harness.yaml")

        assert len(listed(checked("--collect-only", "-q"))) == 1


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


OPENAPI = "contracts/orders/v2/openapi.yaml"
PACT = "contracts/orders/consumers/storefront.pact.json"
SCHEMA = "contracts/orders/events/OrderPlaced.v1.json"

START = "openapi: 3.1.0\n"

# File, content, and how the line begins that is told, after the file.
BROKEN = {
    "OpenAPI that is no YAML": (OPENAPI, START + "paths: ]", ":2: not YAML: "),
    "OpenAPI with a tab": (OPENAPI, START + "paths:\n\t/orders: {}", ":3: not YAML: "),
    "OpenAPI that is empty": (OPENAPI, "", ": is empty"),
    "OpenAPI that is a list": (OPENAPI, "- a", ":1: must be a mapping, not a list"),
    "OpenAPI without paths": (OPENAPI, START, ': not an OpenAPI document with operations: the key "paths" is missing'),
    "OpenAPI of version 2": (OPENAPI, "swagger: '2.0'\npaths: {}", ': not an OpenAPI document: the key "openapi"'),
    "paths that are a list": (OPENAPI, START + "paths:\n- /orders", ":2: paths: must be a mapping, not a list"),
    "a path that is text": (OPENAPI, START + "paths:\n  /a: x", ':3: paths./a: must be a mapping, not "x"'),
    "an operation that is nothing": (
        OPENAPI,
        START + "paths:\n  /a:\n    get:",
        ":4: paths./a.get: must be a mapping, not nothing",
    ),
    "a contract of another version": (
        OPENAPI,
        START + "servers: [{url: /v1}]\npaths: {}",
        ' is the contract of "/v1" (its servers say so), not of "/v2"',
    ),
    "a key given twice": (OPENAPI, START + "paths: {}\npaths: {}", ':3: the key "paths" is given twice'),
    "a contract that is not UTF-8": (OPENAPI, b"openapi: 3.1.0\n# \xff", ":2: byte 0xff is not UTF-8"),
    "a pact that is no JSON": (PACT, '{\n"consumer": }', ":2: not JSON: "),
    "a pact without a provider": (PACT, '{"consumer": {"name": "a"}}', ": not a pact file: "),
    "a pact that is a list": (PACT, "[]", ": not a pact file: "),
    "a pact whose interactions are nothing": (
        PACT,
        '{"consumer": {"name": "a"}, "provider": {"name": "b"}, "interactions": null}',
        ": not a pact file: ",
    ),
    "a pact that is not UTF-8": (PACT, b"{\xff", ":1: byte 0xff is not UTF-8"),
    "an event's schema that is no JSON": (SCHEMA, "{", ":1: not JSON: "),
    "an event's schema that is none": (SCHEMA, '{"type": "strin"}', ': not a JSON Schema: /type: "strin" is not'),
}


@pytest.mark.parametrize(("file", "content", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_read_is_an_error_of_its_file_without_a_traceback(
    file: str, content: str | bytes, words: str, contracts: Contracts, checked: Checked
) -> None:
    folder = contracts({"stock/events/StockReserved.v1.json": json.dumps(EVENT)})
    (folder / file).parent.mkdir(parents=True)
    (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)

    result = checked()

    out = result.stdout.str()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert file + words in out
    assert f"ERROR collecting {file}" in out
    assert "Traceback" not in out
    assert ".py" not in out
    result.assert_outcomes(errors=1)


def test_every_mistake_of_a_file_is_told_at_once(contracts: Contracts, checked: Checked) -> None:
    contracts({"orders/v2/openapi.yaml": "openapi: 2.0.0\npaths:\n  /orders: x\n  /items: y\n"})

    out = checked().stdout.str()

    assert [line for line in range(1, 5) if f"openapi.yaml:{line}: " in out] == [1, 3, 4]
