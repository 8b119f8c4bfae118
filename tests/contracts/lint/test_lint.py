"""What is not a rule: switching rules off, files beside the file, what is no contract at all, and hostile files."""

import copy
import random
from typing import Any

import pytest
import yaml

from harness.contracts.lint import lint
from harness.contracts.lint.lint import as_json
from harness.errors import InputError
from tests.contracts.lint.test_rules import API, EVENT, ROOT, found_in

TEXT = (ROOT / API).read_text()


def with_ignore(ignore: str) -> str:
    """orders v2 whose operation listOrders has no snake-case id, and an ignore beside it."""
    return TEXT.replace("operationId: listOrders", "operationId: list_orders\n      x-lint-ignore: " + ignore)


def rules(text: str, file: str = API) -> list[str]:
    return [finding.rule for finding in found_in(file, text)]


def test_a_rule_is_switched_off_below_where_it_stands() -> None:
    assert rules(with_ignore("[{rule: operation-id-form, reason: published before the rule}]")) == []


def test_a_rule_that_is_switched_off_at_the_top_is_off_everywhere() -> None:
    ignored = "x-lint-ignore: [{rule: operation-id-form, reason: generated}]\n" + with_ignore("[]")

    assert rules(ignored) == []


def test_elsewhere_the_rule_stays_on() -> None:
    text = with_ignore("[{rule: operation-id-form, reason: old}]").replace("operationId: getOrder", "operationId: Get")

    assert [(finding.rule, finding.new and finding.new.line) for finding in found_in(API, text)] == [
        ("operation-id-form", text.splitlines().index("      operationId: Get") + 1)
    ]


@pytest.mark.parametrize(
    ("ignore", "said"),
    [
        ("[{rule: operation-id-form}]", "operation-id-form is switched off without a reason: say why"),
        ("[{rule: operation-id-form, reason: ' '}]", "without a reason"),
        (
            "[{rule: operation-id-from, reason: x}]",
            'unknown rule "operation-id-from" (did you mean "operation-id-form"?)',
        ),
        ("[{rule: operation-id-form, reson: x}]", 'unknown key "reson" (did you mean "reason"?)'),
        ("[operation-id-form]", "must be a mapping of rule and reason"),
        ("operation-id-form", "must be a list of {rule, reason}"),
    ],
)
def test_a_switch_that_is_wrong_hides_nothing_and_is_told(ignore: str, said: str) -> None:
    found = found_in(API, with_ignore(ignore))

    assert sorted(finding.rule for finding in found) == ["ignore-wrong", "operation-id-form"]
    assert any(said in finding.text for finding in found)


def test_a_switch_that_hides_nothing_is_told() -> None:
    found = found_in(API, with_ignore("[{rule: no-body, reason: x}, {rule: operation-id-form, reason: y}]"))

    assert [finding.rule for finding in found] == ["ignore-unused"]
    assert "no-body finds nothing here: delete this" in found[0].text


def test_an_ignore_in_an_example_is_data() -> None:
    document = yaml.load(TEXT, yaml.CSafeLoader)
    body = document["paths"]["/orders"]["get"]["responses"]["200"]["content"]["application/json"]
    body["example"]["x-lint-ignore"] = "whatever"

    assert rules(yaml.safe_dump(document)) == []


def test_a_file_beside_it_is_read_and_its_findings_name_it() -> None:
    line = {"type": "object", "required": ["sku"], "properties": {"the_sku": {"type": "string"}}}
    document = yaml.load(TEXT, yaml.CSafeLoader)
    document["components"]["schemas"]["Line"] = {"$ref": "../common.yaml#/Line"}
    files = {API: yaml.safe_dump(document), "contracts/orders/common.yaml": yaml.safe_dump({"Line": line})}

    found = lint(API, files.__getitem__)

    named = [finding.new for finding in found if finding.rule == "property-form"]
    assert [(source.file, source.line) for source in named if source] == [("contracts/orders/common.yaml", 3)]


@pytest.mark.parametrize("text", ["[]", "17", "a: b", "{}"])
def test_what_is_no_contract_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is neither an OpenAPI document"):
        found_in("x.yaml", text)


@pytest.mark.parametrize("text", ["", "a: [", "a: 1\na: 2", "&a [*a]", "a: !!python/object:x {}"])
def test_what_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"x\.yaml"):
        found_in("x.yaml", text)


def test_a_finding_for_programs_has_all_that_is_printed() -> None:
    (finding,) = found_in(API, with_ignore("[]"))
    line = with_ignore("[]").splitlines().index("      operationId: list_orders") + 1

    assert as_json(finding) == {
        "rule": "operation-id-form",
        "file": API,
        "line": line,
        "place": "GET /orders",
        "text": 'the operationId "list_orders" is not lowerCamelCase',
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("file", [API, EVENT])
def test_a_broken_contract_is_never_more_than_findings(file: str, seed: int) -> None:
    """Values are taken out of a contract, or replaced by others: there are findings, or it is refused; no traceback."""
    chance = random.Random(f"{file} {seed}")
    whole = yaml.load((ROOT / file).read_text(), yaml.CSafeLoader)
    for _ in range(15):
        document = copy.deepcopy(whole)
        for _ in range(chance.randint(1, 3)):
            mutate(document, chance)
        try:
            found_in(file, yaml.safe_dump(document))
        except InputError as error:
            assert str(error)  # noqa: PT017 - being refused is an answer too


def mutate(document: Any, chance: random.Random) -> None:
    holder, key = chance.choice(list(places(document)))
    if chance.random() < 0.4:
        del holder[key]
    else:
        holder[key] = chance.choice(
            [None, True, 0, -1.5, "", "x", [], {}, [1], {"a": 1}, {"$ref": "#/x"}, {"$ref": "#"}]
        )


def places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for key in keys:
        found.append((value, key))
        found += places(value[key])
    return found
