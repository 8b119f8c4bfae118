"""Which domains run, and which APIs stubs stand for."""

from dataclasses import replace

import pytest

from harness import manifest
from harness.errors import InputError
from harness.local.selection import Selection, select, with_providers


@pytest.mark.parametrize(
    ("named", "stubs", "alone", "expected"),
    [
        pytest.param([], [], False, Selection(("orders", "stock")), id="none named: all of them, and no stub"),
        pytest.param(["orders"], [], False, Selection(("orders",), ("stock",)), id="one that calls another: its stub"),
        pytest.param(["stock"], [], False, Selection(("stock",)), id="one that calls nobody: it alone"),
        pytest.param(["stock", "orders"], [], False, Selection(("orders", "stock")), id="both named: both run"),
        pytest.param([], ["stock"], False, Selection(("orders",), ("stock",)), id="a stub in the place of one"),
        pytest.param(["stock"], ["orders"], False, Selection(("stock",), ("orders",)), id="a stub besides"),
        pytest.param([], ["stock"], True, Selection((), ("stock",)), id="a stub and nothing else"),
        pytest.param(["orders"], ["stock"], False, Selection(("orders",), ("stock",)), id="the stub that stood anyway"),
    ],
)
def test_selection(
    landscape: manifest.Landscape, named: list[str], stubs: list[str], alone: bool, expected: Selection
) -> None:
    assert select(landscape, named, stubs, alone=alone) == expected


def test_what_a_stub_would_call_is_not_needed(landscape: manifest.Landscape) -> None:
    """orders calls stock; a third that calls orders needs no stock."""
    shop = replace(landscape.domains["stock"], name="shop", calls=("orders",))
    changed = replace(landscape, domains={**landscape.domains, "shop": shop})

    assert select(changed, ["shop"]) == Selection(("shop",), ("orders",))


@pytest.mark.parametrize(
    ("named", "stubs", "mend"),
    [
        (["ordrs"], [], r'DOMAIN: unknown domain "ordrs" \(did you mean "orders"\?\)'),
        ([], ["stok"], r'--stub: unknown API "stok" \(did you mean "stock"\?\)'),
        ([], ["x"], "known are orders, stock"),
        (["stock"], ["stock"], '--stub: "stock" is also named to run itself: leave one out'),
    ],
)
def test_a_mistake_is_told_with_the_mend(
    landscape: manifest.Landscape, named: list[str], stubs: list[str], mend: str
) -> None:
    with pytest.raises(InputError, match=mend):
        select(landscape, named, stubs)


class TestWithProviders:
    @pytest.mark.parametrize(
        ("named", "started"),
        [
            pytest.param([], ["orders", "stock"], id="none named: all of them"),
            pytest.param(["orders"], ["orders", "stock"], id="one that calls another: both"),
            pytest.param(["stock"], ["stock"], id="one that calls nobody: it alone"),
            pytest.param(["stock", "orders"], ["orders", "stock"], id="both: in the manifest's order"),
        ],
    )
    def test_takes_the_providers_along(
        self, landscape: manifest.Landscape, named: list[str], started: list[str]
    ) -> None:
        assert with_providers(landscape, named) == started

    def test_ends_where_domains_call_each_other(self, landscape: manifest.Landscape) -> None:
        stock = replace(landscape.domains["stock"], calls=("orders",))
        changed = replace(landscape, domains={**landscape.domains, "stock": stock})

        assert with_providers(changed, ["stock"]) == ["orders", "stock"]

    @pytest.mark.parametrize(
        ("name", "mend"),
        [("ordrs", r'unknown domain "ordrs" \(did you mean "orders"\?\)'), ("x", "known are orders, stock")],
    )
    def test_of_an_unknown_domain_is_refused_with_the_mend(
        self, landscape: manifest.Landscape, name: str, mend: str
    ) -> None:
        with pytest.raises(InputError, match=mend):
            with_providers(landscape, [name])
