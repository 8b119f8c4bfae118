"""Files as they really are on disks: links, pipes, other encodings, other checkouts."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.manifest import Landscape, load
from harness.manifest.files import MAX_MANIFEST_BYTES, MAX_POLICY_BYTES
from tests.manifest import landscape

Change = Callable[[Path], object]

SERVICE = "domains/orders/policies/service.json"
STOCK = "domains/stock/domain.yaml"


def _replaced(file: str, make: Callable[[Path], object]) -> Change:
    def change(folder: Path) -> None:
        (folder / file).unlink()
        make(folder / file)

    return change


def _bytes(file: str, content: bytes) -> Change:
    return lambda folder: (folder / file).write_bytes(content)


REFUSED: dict[str, tuple[Change, list[str]]] = {
    "a manifest that is not UTF-8 is refused at the line of the byte": (
        _bytes(STOCK, b"name: stock\naccount: st\xf6ck\n"),
        [f"{STOCK}:2: byte 0xf6 is not UTF-8: save the file as UTF-8"],
    ),
    "a policy that is not UTF-8 is refused at the line of the byte": (
        _bytes(SERVICE, b'{\n "Version": "2012-10-17",\n "Id": "\xff"}'),
        [f"{SERVICE}:3: byte 0xff is not UTF-8: save the file as UTF-8"],
    ),
    "a contract that is not UTF-8 is refused at the line of the byte": (
        _bytes("contracts/orders/events/OrderPlaced.v1.json", b"\n\n\xe4"),
        ["contracts/orders/events/OrderPlaced.v1.json:3: byte 0xe4 is not UTF-8: save the file as UTF-8"],
    ),
    "a control character is refused at its line": (
        _bytes(STOCK, b"name: stock\naccount: st\x07ck\n"),
        [f"{STOCK}:2: the character U+0007 is not allowed in YAML"],
    ),
    "a huge manifest is refused": (
        _bytes(STOCK, b"#" * (MAX_MANIFEST_BYTES + 1)),
        [f"harness.yaml:38: {STOCK} is larger than 256 KiB: no such file is meant to be"],
    ),
    "a huge policy is refused": (
        _bytes(SERVICE, b" " * (MAX_POLICY_BYTES + 1)),
        [f"domains/orders/domain.yaml:19: {SERVICE} is larger than 64 KiB: no such file is meant to be"],
    ),
    "a pipe is refused without waiting for a writer": (
        _replaced(SERVICE, os.mkfifo),
        [f"domains/orders/domain.yaml:19: {SERVICE} is not a regular file"],
    ),
    "a device is refused": (
        _replaced(SERVICE, lambda path: path.symlink_to("/dev/zero")),
        [f"domains/orders/domain.yaml:19: {SERVICE} is not a regular file"],
    ),
    "a folder in a file's place is refused": (
        _replaced(SERVICE, lambda path: path.mkdir()),
        [f"domains/orders/domain.yaml:19: {SERVICE} is a folder"],
    ),
    "a link to nothing is refused": (
        _replaced(SERVICE, lambda path: path.symlink_to("nowhere.json")),
        [f"domains/orders/domain.yaml:19: {SERVICE} is a link to a file that does not exist"],
    ),
    "a link to itself is refused": (
        _replaced(SERVICE, lambda path: path.symlink_to(path.name)),
        [f"domains/orders/domain.yaml:19: {SERVICE} cannot be read: Too many levels of symbolic links"],
    ),
    "a file in place of a folder is refused": (
        lambda folder: landscape.edit(folder, {STOCK: {"policies/api.json": "domain.yaml/api.json"}}),
        [f"{STOCK}:7: {STOCK}/api.json cannot be read: Not a directory"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused(name: str, tmp_path: Path) -> None:
    change, problems = REFUSED[name]
    harness_yaml = landscape.copy(tmp_path)
    change(tmp_path)
    with pytest.raises(InputError) as raised:
        load(harness_yaml)
    # The stock domain cannot be read in some cases: who calls it is then told as well.
    told = [line for line in str(raised.value).splitlines() if "unknown API" not in line]
    assert told == problems


def _linked_checkout(folder: Path) -> None:
    """The stock domain lives in a checkout of its own, and a link leads there."""
    elsewhere = folder.parent / "checkout" / "domain"
    elsewhere.parent.mkdir()
    (folder / "domains" / "stock").rename(elsewhere)
    landscape.edit(
        elsewhere,
        {
            "domain.yaml": {
                "../../contracts/stock": "../contracts",
                "../orders/policies/trust.json": "policies/trust.json",
            }
        },
    )
    (elsewhere / "policies" / "trust.json").write_text((folder / "policies" / "trust.json").read_text())
    (folder / "contracts" / "stock").rename(elsewhere.parent / "contracts")


def _behind_a_link(folder: Path) -> None:
    _linked_checkout(folder)
    (folder / "domains" / "stock").symlink_to(folder.parent / "checkout" / "domain")


def _beside(folder: Path) -> None:
    _linked_checkout(folder)
    landscape.edit(
        folder, {"harness.yaml": {"- domains/*/domain.yaml": "- domains/*/domain.yaml\n  - ../checkout/*/domain.yaml"}}
    )


def _included_twice(folder: Path) -> None:
    (folder / "domains" / "stock-link").symlink_to("stock")
    landscape.edit(
        folder, {"harness.yaml": {"- domains/*/domain.yaml": "- domains/*/domain.yaml\n  - domains/**/domain.yaml"}}
    )


def _hidden_copy(folder: Path) -> None:
    hidden = folder / "domains" / ".worktree" / "stock"
    hidden.mkdir(parents=True)
    (hidden / "domain.yaml").write_text("name: stock\n")
    landscape.edit(folder, {"harness.yaml": {"- domains/*/domain.yaml": "- domains/**/domain.yaml"}})


def _windows(folder: Path) -> None:
    for file in ("harness.yaml", STOCK):
        text = (folder / file).read_text()
        (folder / file).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())


def _aliases(folder: Path) -> None:
    landscape.edit(
        folder,
        {STOCK: {"account: stock": "account: &name stock", "pattern: {source": "pattern: {account: [*name], source"}},
    )


def _loop_of_folders(folder: Path) -> None:
    (folder / "domains" / "again").symlink_to(folder / "domains")
    landscape.edit(folder, {"harness.yaml": {"- domains/*/domain.yaml": "- domains/**/domain.yaml"}})


ACCEPTED: dict[str, Change] = {
    "a domain behind a link reads the files of its own checkout": _behind_a_link,
    "an include leads into another checkout": _beside,
    "a file that is included twice counts once": _included_twice,
    "a wildcard does not look into hidden folders": _hidden_copy,
    "a byte order mark and Windows line ends do no harm": _windows,
    "an alias is followed": _aliases,
    "a loop of folders is walked once": _loop_of_folders,
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_file_is_read(change: Change, tmp_path: Path) -> None:
    folder = tmp_path / "landscape"
    harness_yaml = landscape.copy(folder)
    change(folder)
    assert list(load(harness_yaml).domains) == ["orders", "stock"]


def test_a_problem_in_another_checkout_is_named_relative_to_the_landscape(tmp_path: Path) -> None:
    folder = tmp_path / "landscape"
    harness_yaml = landscape.copy(folder)
    _beside(folder)
    landscape.edit(tmp_path, {"checkout/domain/domain.yaml": {"account: stock": "account: stok"}})
    with pytest.raises(InputError) as raised:
        load(harness_yaml)
    assert str(raised.value) == '../checkout/domain/domain.yaml:2: unknown account "stok" (did you mean "stock"?)'


def test_a_landscape_behind_a_link_is_read_where_it_is(tmp_path: Path) -> None:
    harness_yaml = landscape.copy(tmp_path / "landscape")
    (tmp_path / "link.yaml").symlink_to(harness_yaml)
    assert load(tmp_path / "link.yaml").file == harness_yaml


def test_a_harness_yaml_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        load(tmp_path / "harness.yaml")
    assert str(raised.value) == "harness.yaml: does not exist"


def test_a_relative_path_is_read_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    landscape.copy(tmp_path)
    monkeypatch.chdir(tmp_path)
    read: Landscape = load(Path("harness.yaml"))
    assert read.file == tmp_path / "harness.yaml"
    assert read.domains["orders"].directory == tmp_path / "domains" / "orders"
