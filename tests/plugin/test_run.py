"""What a run prints and how it ends."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.plugin.conftest import EVENT, QUIET, Checked, Contracts, openapi, pact

PROVIDER = "contracts/orders/v2/openapi.yaml"
PLACED = {"orders/events/OrderPlaced.v1.json": json.dumps(EVENT)}


class TestCounts:
    def test_are_told_even_where_all_is_well(self, contracts: Contracts, checked: Checked) -> None:
        contracts(
            {
                "orders/v2/openapi.yaml": openapi(orders="publish", items="list"),
                "orders/consumers/storefront.pact.json": pact("one", "two"),
                **PLACED,
            }
        )

        result = checked()

        assert result.ret == pytest.ExitCode.OK
        result.stdout.fnmatch_lines(
            [
                "*= contracts =*",
                "10 signed requests (coverage 4, fuzzing 6); answers 200: 8, 404: 2",
                "2 expectations of consumers verified",
                "1 published events validated",
                "*5 passed*",
            ]
        )

    def test_are_told_where_nothing_is_fuzzed(self, contracts: Contracts, checked: Checked) -> None:
        contracts({"orders/consumers/storefront.pact.json": pact("one")})

        out = checked().stdout.str()

        assert "no request was generated" in out
        assert "1 expectations of consumers verified" in out

    def test_count_what_failed_too(self, contracts: Contracts, checked: Checked) -> None:
        contracts({"orders/v2/openapi.yaml": openapi(orders="bad", items="list")})

        assert "10 signed requests" in checked().stdout.str()

    def test_are_not_told_where_no_contract_was_checked(self, pytester: pytest.Pytester, checked: Checked) -> None:
        pytester.makepyfile("def test_own(): pass")

        assert "contracts" not in checked().stdout.str()


class TestFinding:
    @pytest.mark.parametrize(
        ("files", "item", "words"),
        [
            pytest.param(
                {"orders/v2/openapi.yaml": openapi(orders="bad")},
                f"{PROVIDER}::GET /orders",
                "Undocumented status",
                id="an operation",
            ),
            pytest.param(
                {"orders/v2/openapi.yaml": openapi(orders="nothing")},
                f"{PROVIDER}::GET /orders",
                "no case was sent: the contract leaves nothing to generate",
                id="an operation that was not tried",
            ),
            pytest.param(
                {"orders/v2/openapi.yaml": openapi(orders="breaks")},
                f"{PROVIDER}::GET /orders",
                "could not be checked: the reference #/x leads nowhere",
                id="an operation that cannot be checked",
            ),
            pytest.param(
                {"orders/consumers/storefront.pact.json": pact("the total is shown")},
                "contracts/orders/consumers/storefront.pact.json::the total is shown",
                "orders does not give storefront what it relies on:\n  $.total: expected a number",
                id="an expectation",
            ),
            pytest.param(
                {"orders/v2/openapi.yaml": openapi(orders="misspell"), **PLACED},
                "contracts/orders/events/OrderPlaced.v1.json::OrderPlaced.v1",
                '1 violation in 1 event:\nevent e-0 from acme.orders: /orderId: 1 is not of type "string"',
                id="an event",
            ),
        ],
    )
    def test_is_told_in_its_own_words_and_fails_the_run(
        self, files: dict[str, str], item: str, words: str, contracts: Contracts, checked: Checked
    ) -> None:
        contracts(files)

        result = checked()

        out = result.stdout.str()
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        assert words in out
        assert f"FAILED {item}" in out
        assert "Traceback" not in out
        assert ".py" not in out

    def test_does_not_hide_the_others(self, contracts: Contracts, checked: Checked) -> None:
        contracts({"orders/v2/openapi.yaml": openapi(a="bad", b="list", c="bad")})

        checked().assert_outcomes(failed=2, passed=1)

    def test_of_many_events_is_cut_short_with_the_number(self, contracts: Contracts, checked: Checked) -> None:
        operations = {f"orders{number}": f"misspell{number}" for number in range(25)}
        contracts({"orders/v2/openapi.yaml": openapi(**operations), **PLACED})

        out = checked().stdout.str()

        assert "25 violations in 25 events:" in out
        assert "… and 5 more" in out


class TestEvents:
    def test_that_were_not_published_are_skipped_with_the_reason(self, contracts: Contracts, checked: Checked) -> None:
        contracts(PLACED)

        result = checked("-rs")

        result.assert_outcomes(skipped=1)
        assert "no OrderPlaced.v1 was published in this run; nothing to validate" in result.stdout.str()

    def test_are_provoked_where_a_state_says_how(self, contracts: Contracts, checked: Checked) -> None:
        states = json.dumps({"OrderPlaced.v1 is published": [{"api": "orders", "request": "POST /v2/orders"}]})
        contracts({**PLACED, "orders/states.yaml": states})

        result = checked()

        result.assert_outcomes(passed=1)
        assert "1 published events validated" in result.stdout.str()

    def test_a_mistake_in_the_states_is_told_with_its_file(self, contracts: Contracts, checked: Checked) -> None:
        contracts({**PLACED, "orders/states.yaml": "an order exists: [{apii: orders}]"})

        result = checked()

        result.assert_outcomes(failed=1)
        assert 'contracts/orders/states.yaml: state "an order exists": unknown key "apii"' in result.stdout.str()


class TestOptions:
    def test_reach_the_checks(self, contracts: Contracts, checked: Checked) -> None:
        contracts({"orders/v2/openapi.yaml": openapi(orders="list")})

        out = checked("-s", "--harness-role", "auditor", "--harness-seed", "7", "--harness-max-examples", "9")

        assert "fuzzed GET /orders at http://localhost:4566/v2, orders as auditor, 7, 9" in out.stdout.str()

    def test_of_the_command_line_are_explained(self, checked: Checked) -> None:
        out = checked("--help").stdout.str()

        for option in ("file", "running", "role", "seed", "max-examples"):
            assert f"--harness-{option}" in out

    def test_an_expectation_is_signed_as_its_consumer(self, contracts: Contracts, checked: Checked) -> None:
        contracts({"orders/consumers/storefront.pact.json": pact("one")})

        assert "signed for orders as storefront" in checked("-s", "--harness-role", "auditor").stdout.str()

    def test_results_can_be_written_as_junit(
        self, contracts: Contracts, checked: Checked, pytester: pytest.Pytester
    ) -> None:
        contracts({"orders/v2/openapi.yaml": openapi(orders="list", items="bad")})

        checked("--junitxml", "report.xml")

        cases = ElementTree.parse(pytester.path / "report.xml").getroot().iter("testcase")
        assert {case.get("name"): case.find("failure") is not None for case in cases} == {
            "GET /orders": False,
            "GET /items": True,
        }


class TestLandscapeThatDoesNotStart:
    def test_fails_every_item_in_a_line_each(self, contracts: Contracts, checked: Checked) -> None:
        contracts({"orders/v2/openapi.yaml": openapi(orders="list", items="list")})

        result = checked("--fake-start-fails")

        result.assert_outcomes(failed=2)
        out = result.stdout.str()
        assert out.count("port 4566 is in use by another program: end it") >= 2
        assert "Traceback" not in out
        assert ".py" not in out

    def test_fails_a_users_test_without_a_traceback(self, pytester: pytest.Pytester, checked: Checked) -> None:
        pytester.makepyfile("def test_own(client): pass")

        result = checked("--fake-start-fails")

        result.assert_outcomes(errors=1)
        out = result.stdout.str()
        assert "port 4566 is in use by another program: end it" in out
        assert "def harness" not in out


def test_fixtures_hold_the_landscape_and_what_is_new_on_its_buses(
    contracts: Contracts, checked: Checked, pytester: pytest.Pytester
) -> None:
    contracts({"orders/v2/openapi.yaml": openapi(orders="publish")})
    pytester.makepyfile(
        """
        def test_events(harness, client, events):
            before = harness.events_so_far()
            assert len(before) == 1
            assert events() == []
            harness.publish({"orderId": "2"})
            assert [event["detail"] for event in events()] == [{"orderId": "2"}]
            assert client("orders", "storefront") == "orders as storefront"
        """
    )

    result = checked("-s", "contracts", ".")

    result.assert_outcomes(passed=2)
    assert result.stdout.str().count("the landscape is stopped") == 1


@pytest.mark.slow
class TestWorkers:
    """With pytest-xdist: a landscape for each worker, one summary."""

    def run(self, pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("-p", "tests.plugin.fakes", *QUIET, "-p", "no:schemathesis", *arguments)

    def files(self, folder: Path) -> None:
        (folder / "harness.yaml").touch()

    def test_their_counts_add_up(self, contracts: Contracts, pytester: pytest.Pytester) -> None:
        operations = {f"orders{number}": f"publish{number}" for number in range(6)}
        contracts({"orders/v2/openapi.yaml": openapi(**operations), **PLACED})

        result = self.run(pytester, "-n", "2")

        assert result.ret == pytest.ExitCode.OK
        assert "30 signed requests (coverage 12, fuzzing 18); answers 200: 24, 404: 6" in result.stdout.str()
        assert "6 published events validated" in result.stdout.str()

    def test_an_event_that_no_item_of_its_worker_judged_fails_the_run(
        self, contracts: Contracts, pytester: pytest.Pytester
    ) -> None:
        # By file: one worker has the operations and so the events, the other the event's item.
        operations = {f"orders{number}": f"misspell{number}" for number in range(3)}
        contracts({"orders/v2/openapi.yaml": openapi(**operations), **PLACED})

        result = self.run(pytester, "-n", "2", "--dist", "loadfile")

        result.assert_outcomes(passed=3, skipped=1)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(
            [
                "FAILED contracts/orders/events/OrderPlaced.v1.json::OrderPlaced.v1 (events of another worker)",
                "3 violations in 3 events:",
                'event e-0 from acme.orders: /orderId: 1 is not of type "string"',
                "3 published events validated",
            ]
        )
