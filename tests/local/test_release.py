"""Breaks planted in a repository of the sample's contracts: the verdict names exactly the consumers that they hurt."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.contracts.release import Verdict, as_json, as_markdown, as_text, parse_lock
from harness.errors import InputError
from harness.local.recording import record_release
from harness.local.release import can_release
from tests.local.scratch import ROOT, edit, git, make_repository

CASES = Path(__file__).parent / "cases"
BREAKS = json.loads((CASES / "breaks.json").read_text())
HARMLESS = json.loads((CASES / "harmless.json").read_text())
TODAY = date(2026, 1, 20)
KNOWN_RISKS = {"expected-field-optional"}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("release") / "landscape").parent


@pytest.fixture
def landscape(original: Path, tmp_path: Path) -> Path:
    """A clone with its own working tree; `main` has what ships now."""
    return Path(shutil.copytree(original, tmp_path / "landscape"))


def judged(landscape: Path, case: dict[str, Any]) -> Verdict:
    if case.get("unreleased"):
        (landscape / "contracts" / "released.lock").unlink()
        git(landscape, "commit", "-q", "-a", "-m", "nothing is released")
    for change in case["edits"]:
        edit(landscape, change)
    return can_release(
        landscape / "harness.yaml",
        case["domain"],
        against="main",
        today=date.fromisoformat(case["today"]) if "today" in case else TODAY,
        forget_after_days=case.get("forget_after_days", 90),
    )


def hurt(verdict: Verdict) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in verdict.judged:
        for one in each.hurt:
            if one.certain or one.consumer not in found:
                found[one.consumer] = "breaks" if one.certain else "may break"
    return found


@pytest.mark.parametrize("case", [pytest.param(each, id=each["name"]) for each in BREAKS])
def test_a_planted_break_names_exactly_whom_it_hurts(case: dict[str, Any], landscape: Path) -> None:
    verdict = judged(landscape, case)

    assert not verdict.may_ship
    assert hurt(verdict) == case["hurt"]
    text = as_text(verdict)
    for said in case["said"]:
        assert said in text, text


@pytest.mark.parametrize("case", [pytest.param(each, id=each["name"]) for each in HARMLESS])
def test_what_hurts_nobody_says_so(case: dict[str, Any], landscape: Path) -> None:
    verdict = judged(landscape, case)

    assert verdict.may_ship is case["mayShip"]
    told = [each for each in verdict.judged if each.finding.level != "safe" or each.contract == "releases"]
    told += [each for each in verdict.judged if each.finding.rule.startswith("version-")]
    rules = {each.finding.rule for each in told}
    assert rules - KNOWN_RISKS == set(case["rules"])
    for said in case.get("said", []):
        assert said in as_text(verdict)


def test_the_landscapes_own_contracts_pacts_and_rules_pass() -> None:
    for domain in ("orders", "stock"):
        verdict = can_release(ROOT / "harness.yaml", domain, against=str(ROOT), today=TODAY, forget_after_days=90)

        assert verdict.may_ship, as_text(verdict)


def test_the_samples_are_released_as_they_are() -> None:
    lock = parse_lock((ROOT / "contracts" / "released.lock").read_text(), file="contracts/released.lock")
    contracts = ROOT / "contracts"
    files = [*contracts.glob("*/v*/openapi.yaml"), *contracts.glob("*/events/*.json")]

    assert {str(file.relative_to(contracts)) for file in files} == set(lock.files)
    for file in files:
        assert lock.has(str(file.relative_to(contracts)), file.read_text()), f"harness release: {file} changed"


def test_a_folder_is_compared_with_too(landscape: Path, original: Path) -> None:
    edit(landscape, BREAKS[3]["edits"][0])

    verdict = can_release(landscape / "harness.yaml", "orders", against=str(original), today=TODAY)

    assert hurt(verdict) == BREAKS[3]["hurt"]


def test_a_released_text_is_found_in_history_where_the_base_has_moved_on(landscape: Path) -> None:
    """Main was changed in a breaking way without a release: what is released is what counts."""
    edit(landscape, BREAKS[4]["edits"][0])
    git(landscape, "commit", "-q", "-a", "-m", "slipped in")

    verdict = can_release(landscape / "harness.yaml", "orders", against="main", today=TODAY)

    assert hurt(verdict) == BREAKS[4]["hurt"]


def test_every_release_of_an_event_counts_not_the_last_alone(landscape: Path) -> None:
    event = "contracts/stock/events/StockReserved.v1.json"
    quantity = "/properties/data/properties/lines/items/properties/quantity/maximum"
    edit(landscape, {"file": event, "set": {"/x-event/compatibility": "FORWARD", quantity: 10}})
    git(landscape, "commit", "-q", "-a", "-m", "narrower")
    record_release(landscape / "harness.yaml", ["stock"], today=TODAY)
    edit(landscape, {"file": event, "set": {"/x-event/compatibility": "BACKWARD", quantity: 20}})
    git(landscape, "commit", "-q", "-a", "-m", "wider")
    record_release(landscape / "harness.yaml", ["stock"], today=TODAY)
    git(landscape, "commit", "-q", "-a", "-m", "released")
    edit(landscape, {"file": event, "set": {"/x-event/compatibility": "FORWARD_TRANSITIVE"}})

    verdict = can_release(landscape / "harness.yaml", "stock", against="main", today=TODAY)

    texts = [each.finding.text for each in verdict.judged if each.finding.rule == "event-not-forward-compatible"]
    assert len(texts) == 1
    assert "maximum: 20 against 10" in texts[0]


def test_a_teams_own_rules_count_for_apis_and_events(landscape: Path) -> None:
    rules = landscape / "contracts" / "rules.yaml"
    rules.write_text(
        "levels: {response-enum-value-added: safe}\n"
        "ignores:\n"
        "  - rule: event-not-forward-compatible\n"
        "    at: StockReserved.v1 $.data.lines\n"
        "    reason: nobody reads it\n"
        "    until: 2026-03-01\n"
    )
    edit(landscape, BREAKS[2]["edits"][0])
    edit(landscape, HARMLESS[3]["edits"][0])

    for domain in ("orders", "stock"):
        verdict = can_release(landscape / "harness.yaml", domain, against="main", today=TODAY)
        assert verdict.may_ship, as_text(verdict)


@pytest.mark.parametrize(
    ("against", "said"),
    [
        pytest.param("mian", '"mian" is neither a folder nor a revision', id="no revision"),
        pytest.param("contracts", "contracts has no harness.yaml", id="a folder without a landscape"),
    ],
)
def test_what_cannot_be_compared_with_is_refused(
    landscape: Path, against: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(landscape)

    with pytest.raises(InputError, match=said):
        can_release(landscape / "harness.yaml", "orders", against=against, today=TODAY)


def test_an_unknown_domain_is_refused(landscape: Path) -> None:
    with pytest.raises(InputError, match='unknown domain "ordrs" \\(did you mean "orders"'):
        can_release(landscape / "harness.yaml", "ordrs", against="main", today=TODAY)


def test_wrong_files_of_consumers_are_told_all_at_once(landscape: Path) -> None:
    consumers = landscape / "contracts" / "orders" / "consumers"
    (consumers / "a.pact.json").write_text('{"consumer": {"name": "a"}, "provider": {"name": "stock"}, "messages": []}')
    (consumers / "b.recorded.jsonl").write_text("[]\n")

    with pytest.raises(InputError) as refused:
        can_release(landscape / "harness.yaml", "orders", against="main", today=TODAY)

    files = [problem.file for problem in refused.value.problems]
    assert files == ["contracts/orders/consumers/a.pact.json", "contracts/orders/consumers/b.recorded.jsonl"]


def test_a_base_that_is_wrong_is_told_as_the_base(landscape: Path) -> None:
    good = (landscape / "harness.yaml").read_text()
    (landscape / "harness.yaml").write_text(good.replace("region:", "regoin:"))
    git(landscape, "commit", "-q", "-a", "-m", "broken")
    (landscape / "harness.yaml").write_text(good)

    with pytest.raises(InputError, match=r"main \([0-9a-f]{10}\): harness.yaml"):
        can_release(landscape / "harness.yaml", "orders", against="main", today=TODAY)


class TestRecording:
    def test_a_compatible_change_is_one_release_more(self, landscape: Path) -> None:
        edit(landscape, HARMLESS[1]["edits"][0])

        recording = record_release(landscape / "harness.yaml", ["orders@v2"], today=TODAY)

        (new,) = recording.added["contracts/released.lock"]
        assert (new.file, new.day) == ("orders/v2/openapi.yaml", TODAY)
        verdict = can_release(landscape / "harness.yaml", "orders", against="main", today=TODAY)
        assert verdict.may_ship
        assert all(each.finding.rule != "release-not-recorded" for each in verdict.judged)

    def test_what_is_released_is_not_recorded_again(self, landscape: Path) -> None:
        before = (landscape / "contracts" / "released.lock").read_text()

        assert record_release(landscape / "harness.yaml", [], today=TODAY).added == {"contracts/released.lock": ()}
        assert (landscape / "contracts" / "released.lock").read_text() == before

    def test_a_breaking_change_is_refused_and_nothing_is_written(self, landscape: Path) -> None:
        edit(landscape, BREAKS[0]["edits"][0])
        before = (landscape / "contracts" / "released.lock").read_text()

        recording = record_release(landscape / "harness.yaml", [], today=TODAY)

        assert {each.finding.rule for each in recording.refused} == {"response-property-removed"}
        assert (landscape / "contracts" / "released.lock").read_text() == before

    def test_a_release_whose_text_is_in_no_commit_cannot_be_compared_with(self, landscape: Path) -> None:
        edit(landscape, HARMLESS[1]["edits"][0])
        record_release(landscape / "harness.yaml", ["orders@v2"], today=TODAY)
        edit(landscape, HARMLESS[8]["edits"][0])

        with pytest.raises(
            InputError, match=r"orders/v2/openapi\.yaml changed, and the text of its last release is in"
        ):
            record_release(landscape / "harness.yaml", ["orders"], today=TODAY)

    def test_a_version_that_there_is_not_is_refused(self, landscape: Path) -> None:
        with pytest.raises(InputError, match='orders has no version or event "v3": known are v1, v2, OrderPlaced'):
            record_release(landscape / "harness.yaml", ["orders@v3"], today=TODAY)


class TestShapes:
    def test_json(self, landscape: Path) -> None:
        said = as_json(judged(landscape, BREAKS[0]))

        assert json.loads(json.dumps(said)) == said
        assert (said["domain"], said["mayShip"]) == ("orders", False)
        finding = next(each for each in said["findings"] if each["place"] == "GET /orders/{orderId} 200 $.placedAt")
        assert [(each["consumer"], each["certain"]) for each in finding["hurt"]] == [
            ("backoffice", False),
            ("storefront", True),
        ]
        assert finding["hurt"][1]["uses"] == [
            {
                "by": 'pact "an order is looked up"',
                "how": "field $.placedAt",
                "certain": True,
                "at": "contracts/orders/consumers/storefront.pact.json:186",
            }
        ]

    def test_markdown_is_one_table_that_text_cannot_break_out_of(self, landscape: Path) -> None:
        edit(
            landscape,
            {
                "file": "contracts/orders/consumers/storefront.pact.json",
                "replace": [["an order is looked up", "a|b <b>@all</b> `x` [y](z)"]],
            },
        )

        text = as_markdown(judged(landscape, BREAKS[0]))

        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert all(line.replace("\\|", "").count("|") == 4 for line in rows)
        assert "a\\|b &lt;b&gt;&#64;all&lt;/b&gt; 'x' \\[y\\](z)" in text
        assert text.startswith("### ❌ orders may not ship, compared with main")
