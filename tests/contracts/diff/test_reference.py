"""The reference shows the rules as they are."""

from tests.contracts.diff.reference import PAGE, page


def test_the_reference_has_the_table_of_rules() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.contracts.diff.reference"
