"""Where accounts are in the organisation and in the network, as it is written and as it is read."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.manifest import Landscape, load
from harness.policy.model import PolicyKind
from harness.wire import NetworkPlace, PlaceKind
from tests.manifest import landscape

ORDERS, STOCK, PLATFORM = "011111111111", "222222222222", "333333333333"
ALONE = "organisation: o-a1b2c3d4e5\n"
TREE = """\
organisation:
  id: o-a1b2c3d4e5
  management: platform
  root:
    id: r-ab12
    policies: [FullAWSAccess, policies/root.json]
    accounts: [platform]
    units:
      domains:
        id: ou-ab12-11111111
        units:
          selling:
            id: ou-ab12-22222222
            policies: [policies/selling.json]
            accounts: [orders]
"""
SCP = """{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"""
ENDPOINT = SCP.replace('{"Effect"', '{"Principal": "*", "Effect"')


def read(folder: Path, changes: Mapping[str, str], file: str = "harness.yaml", **policies: str) -> Landscape:
    harness_yaml = landscape.copy(folder)
    landscape.edit(folder, {file: changes})
    for name, text in policies.items():
        (folder / "policies" / f"{name}.json").write_text(text)
    return load(harness_yaml)


@pytest.fixture
def tree(tmp_path: Path) -> Landscape:
    own = "    port: 4600\n    service-control-policies: [policies/own.json]\n"
    stock = "endpoint: vpce-0c0c0c0c\n    service-control-policies: [policies/own.json]"
    changes = {ALONE: TREE, "    port: 4600\n": own, "endpoint: vpce-0c0c0c0c": stock}
    return read(tmp_path, changes, root=SCP, selling=SCP, own=SCP)


PATHS = {
    "in a unit below a unit": (ORDERS, "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/"),
    "that no unit names": (STOCK, "o-a1b2c3d4e5/r-ab12/"),
    "that the root names": (PLATFORM, "o-a1b2c3d4e5/r-ab12/"),
}


@pytest.mark.parametrize(("account", "path"), PATHS.values(), ids=PATHS.keys())
def test_the_path_of_an_account(account: str, path: str, tree: Landscape) -> None:
    assert tree.directory().memberships[account].path == path


LEVELS = {
    "from the root down, without the level that has the default": (ORDERS, [["root", "FullAWSAccess"], ["selling"]]),
    "with those of the account itself at the end": (STOCK, [["root", "FullAWSAccess"], ["own"]]),
    "none for the management account": (PLATFORM, []),
}


@pytest.mark.parametrize(("account", "levels"), LEVELS.values(), ids=LEVELS.keys())
def test_the_service_control_policies_of_an_account(account: str, levels: list[list[str]], tree: Landscape) -> None:
    scps = tree.directory().memberships[account].scps
    assert [[document.name for document in level] for level in scps] == levels
    assert {document.kind for level in scps for document in level} <= {PolicyKind.SCP}


def test_only_full_access_is_no_limit(tmp_path: Path) -> None:
    short = "organisation: {id: o-a1b2c3d4e5, root: {policies: [FullAWSAccess]}}\n"
    members = read(tmp_path, {ALONE: short}).directory().memberships
    assert [member.scps for member in members.values()] == [(), (), ()]


def test_an_id_alone_is_a_tree_of_one_root_with_an_id_that_stays(tmp_path: Path) -> None:
    sample = load(landscape.copy(tmp_path))
    assert sample.organisation == "o-a1b2c3d4e5"
    assert {member.path for member in sample.directory().memberships.values()} == {"o-a1b2c3d4e5/r-k214/"}


def test_units_without_ids_have_different_ones_that_stay(tmp_path: Path) -> None:
    root = "{id: r-ab12, units: {one: {accounts: [orders]}, two: {accounts: [stock]}}}"
    sample = read(tmp_path, {ALONE: f"organisation: {{id: o-a1b2c3d4e5, root: {root}}}\n"})
    paths = [sample.directory().memberships[account].path for account in (ORDERS, STOCK)]
    assert paths == ["o-a1b2c3d4e5/r-ab12/ou-ab12-vr5xu1yj/", "o-a1b2c3d4e5/r-ab12/ou-ab12-jgbrvvzb/"]


def test_a_shared_endpoint_is_the_network_place_of_the_account_that_shares_it(tmp_path: Path) -> None:
    sample = read(tmp_path, {"endpoint: vpce-0b0b0b0b": "endpoint: {shared: platform}"})
    places = {place.name: place for place in sample.places()}
    assert sample.accounts["orders"].vpc == "vpc-0b0b0b0b"
    assert places["orders"] == NetworkPlace("orders", PlaceKind.ENDPOINT, ORDERS, "vpce-0d0d0d0d", "vpc-0d0d0d0d")
    assert places["orders to stock"] == NetworkPlace(
        "orders to stock", PlaceKind.ENDPOINT, ORDERS, "vpce-0d0d0d0d", "vpc-0d0d0d0d", "stock"
    )


@pytest.mark.parametrize("endpoint", ["vpce-0a0a0a0a", "vpce-0c0c0c0c"], ids=["the workbench's", "an account's"])
def test_an_endpoint_policy_is_found_by_the_endpoint(endpoint: str, tmp_path: Path) -> None:
    policy = f"endpoint: {{id: {endpoint}, policy: policies/endpoint.json}}"
    sample = read(tmp_path, {f"endpoint: {endpoint}": policy}, endpoint=ENDPOINT)
    (found,) = sample.directory().endpoint_policies.items()
    assert (found[0], found[1].name, found[1].kind) == (endpoint, "endpoint", PolicyKind.ENDPOINT)


def test_the_policies_of_tree_and_endpoints_are_files_of_the_landscape(tmp_path: Path) -> None:
    policy = "endpoint: {id: vpce-0c0c0c0c, policy: policies/endpoint.json}"
    changes = {ALONE: TREE, "endpoint: vpce-0c0c0c0c": policy}
    sample = read(tmp_path, changes, root=SCP, selling=SCP, endpoint=ENDPOINT)
    names = {path.relative_to(tmp_path).as_posix() for path in sample.files()}
    assert {"policies/root.json", "policies/selling.json", "policies/endpoint.json"} <= names
    assert not [name for name in names if "FullAWSAccess" in name]


def test_an_api_may_have_a_custom_domain_name(tmp_path: Path) -> None:
    changes = {"api:\n": "api:\n  domain-name: stock.internal.example\n"}
    sample = read(tmp_path, changes, file="domains/stock/domain.yaml")
    assert {name: api.domain_name for name, api in sample.apis().items()} == {
        "orders": "",
        "stock": "stock.internal.example",
    }
