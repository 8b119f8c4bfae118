"""Keys: made once, private, never overwritten."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from harness.errors import StartError
from harness.runtime.keys import master_key, password, topics_signing_key, workload_identity_key

KEYS: dict[str, Callable[[Path], bytes]] = {
    "master.key": master_key,
    "nats.password": lambda keys: password(keys, "nats").encode(),
    "workload-identity.pem": workload_identity_key,
    "topics.pem": topics_signing_key,
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_made_once_and_for_its_user_alone(tmp_path: Path, name: str) -> None:
    first = KEYS[name](tmp_path)
    assert KEYS[name](tmp_path) == first
    assert (tmp_path / name).read_bytes() == first
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", KEYS)
def test_two_folders_have_different_keys(tmp_path: Path, name: str) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    assert KEYS[name](one) != KEYS[name](two)


@pytest.mark.parametrize("name", KEYS)
def test_a_damaged_key_is_named_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"short")
    with pytest.raises(StartError, match=rf"{name} is damaged .*restore it"):
        KEYS[name](tmp_path)
    assert (tmp_path / name).read_bytes() == b"short"


def test_a_key_that_was_opened_to_others_is_closed_again(tmp_path: Path) -> None:
    master_key(tmp_path)
    (tmp_path / "master.key").chmod(0o644)
    master_key(tmp_path)
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600


def test_many_who_ask_at_once_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: master_key(tmp_path), range(40)))) == 1


def test_the_master_key_has_32_bytes(tmp_path: Path) -> None:
    assert len(master_key(tmp_path)) == 32


def test_the_workload_identity_key_is_on_p_256(tmp_path: Path) -> None:
    key = load_pem_private_key(workload_identity_key(tmp_path), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    assert isinstance(key.curve, SECP256R1)


def test_the_certificate_of_messages_is_that_of_its_key_and_lasts(tmp_path: Path) -> None:
    pem = topics_signing_key(tmp_path)
    certificate, key = load_pem_x509_certificate(pem), load_pem_private_key(pem, None)
    assert isinstance(key, RSAPrivateKey)
    assert key.key_size == 2048
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc > timedelta(days=3650)


def test_the_certificate_of_another_key_is_damage(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    key, certificate = topics_signing_key(one), topics_signing_key(two)
    between = b"-----BEGIN CERTIFICATE-----"
    (one / "topics.pem").write_bytes(key.partition(between)[0] + between + certificate.partition(between)[2])
    with pytest.raises(StartError, match=r"topics.pem is damaged"):
        topics_signing_key(one)


@pytest.mark.parametrize("name", ["", "../master", "a b", ".hidden"])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a name for a password"):
        password(tmp_path, name)
