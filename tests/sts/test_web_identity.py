"""AssumeRoleWithWebIdentity: a container's token for its role's credentials, and tokens that are not good enough."""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from harness.query_protocol.answers import Refusal
from harness.sts.web_identity import (
    NO_KEY,
    NOT_A_JWT,
    WorkloadTokens,
    generate_key,
    key_from_pem,
    key_to_pem,
    public_key_set,
    read_token,
)
from tests.access.landscape import NOON, OIDC, ORDERS, a_directory, a_role
from tests.sts.client import KEY, SEALER, Answer, ask, tokens

PROVIDER = OIDC.arn(ORDERS)
PUBLIC = tokens().public_keys
SUBJECT = "system:serviceaccount:orders:orders"
SECOND = int(NOON.timestamp())
CLAIMS = {
    "iss": f"https://{OIDC.url}",
    "sub": SUBJECT,
    "aud": ["sts.amazonaws.com"],
    "iat": SECOND,
    "nbf": SECOND,
    "exp": SECOND + 3600,
}


def trusting(**condition: Any) -> Mapping[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    return {**statement, "Condition": condition} if condition else statement


AS_ON_EKS = trusting(
    StringEquals={f"{OIDC.url}:sub": SUBJECT, f"{OIDC.url}:aud": "sts.amazonaws.com"},
)


def assume(token: str, *trust: Mapping[str, Any], role_arn: str | None = None, **more: str) -> Answer:
    role = a_role(ORDERS, "orders", trust=trust or [AS_ON_EKS])
    parameters = {"RoleArn": role_arn or role.arn, "RoleSessionName": "orders", "WebIdentityToken": token, **more}
    return ask(a_directory(role), "AssumeRoleWithWebIdentity", parameters)


def minted(claims: Mapping[str, Any] | None = None, *, key: Any = KEY, alg: str = "ES256", **header: str) -> str:
    """A token with claims changed; a claim of None is left out."""
    whole = {name: value for name, value in {**CLAIMS, **(claims or {})}.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": KEY.kid, **header}, whole, key, algorithms=[alg])


def test_a_token_of_a_container_gives_its_roles_credentials() -> None:
    answer = assume(tokens().mint("orders", "orders"))

    assert answer.status == 200, answer.message
    assert answer.result["AssumedRoleUser"]["Arn"] == "arn:aws:sts::111111111111:assumed-role/orders/orders"
    assert answer.result["SubjectFromWebIdentityToken"] == SUBJECT
    assert answer.result["Audience"] == "sts.amazonaws.com"
    assert answer.result["Provider"] == PROVIDER


def test_the_session_tells_its_provider_and_is_not_chained() -> None:
    credentials = assume(tokens().mint("orders", "orders")).result["Credentials"]

    session = SEALER.open(credentials["AccessKeyId"], credentials["SessionToken"])

    assert session is not None
    assert (session.provider, session.chained) == (PROVIDER, False)


def test_a_role_may_give_longer_sessions_than_an_hour() -> None:
    role = a_role(ORDERS, "orders", trust=[AS_ON_EKS], max_session_seconds=7200)
    parameters = {
        "RoleArn": role.arn,
        "RoleSessionName": "orders",
        "WebIdentityToken": tokens().mint("orders", "orders"),
        "DurationSeconds": "7200",
    }

    answer = ask(a_directory(role), "AssumeRoleWithWebIdentity", parameters)

    assert answer.result["Credentials"]["Expiration"] == NOON + timedelta(hours=2)


NOT_TRUSTED = {
    "another subject": [trusting(StringEquals={f"{OIDC.url}:sub": "system:serviceaccount:stock:stock"})],
    "another audience": [trusting(StringEquals={f"{OIDC.url}:aud": "other"})],
    "another provider": [
        {**trusting(), "Principal": {"Federated": "arn:aws:iam::111111111111:oidc-provider/other.example"}}
    ],
    "the same provider in another account": [{**trusting(), "Principal": {"Federated": OIDC.arn("222222222222")}}],
    "sts:AssumeRole alone": [{**trusting(), "Action": "sts:AssumeRole"}],
    "a deny beside the allow": [trusting(), {**trusting(), "Effect": "Deny"}],
}


@pytest.mark.parametrize("trust", NOT_TRUSTED.values(), ids=NOT_TRUSTED.keys())
def test_a_role_that_trusts_something_else_is_refused(trust: list[Mapping[str, Any]]) -> None:
    answer = assume(tokens().mint("orders", "orders"), *trust)

    assert (answer.status, answer.code, answer.message) == (
        403,
        "AccessDenied",
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    )


def test_a_token_of_one_domain_does_not_open_anothers_role() -> None:
    assert assume(tokens().mint("stock", "stock")).code == "AccessDenied"


def test_a_role_that_does_not_exist_is_refused_in_the_same_words() -> None:
    answer = assume(tokens().mint("orders", "orders"), role_arn="arn:aws:iam::111111111111:role/nobody")

    assert answer.message == "Not authorized to perform sts:AssumeRoleWithWebIdentity"


def signed_with_the_public_key_as_a_secret() -> str:
    """By hand, since joserfc refuses to (RFC 8725 2.1, algorithm confusion)."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": KEY.kid}).encode()).rstrip(b"=").decode()
    content = f"{header}.{minted().split('.')[1]}"
    mac = hmac.digest(KEY.as_pem(private=False), content.encode(), "sha256")
    return f"{content}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


INVALID = "InvalidIdentityToken"
ATTACKERS = generate_key()

TOKENS: dict[str, tuple[str, str, str | None]] = {
    "no JWT": ("four", INVALID, NOT_A_JWT),
    "dots and nothing between": ("a..b", INVALID, NOT_A_JWT),
    "a payload that is no JSON": ("eyJhbGciOiJFUzI1NiJ9.AAAA.AAAA", INVALID, NOT_A_JWT),
    "a token that is not ASCII": ("größer als vier", INVALID, NOT_A_JWT),
    "no issuer": (minted({"iss": None}), INVALID, NOT_A_JWT),
    "another issuer": (
        minted({"iss": "https://other.example"}),
        INVALID,
        "No OpenIDConnect provider found in your account for https://other.example",
    ),
    "an issuer over plain http": (
        minted({"iss": f"http://{OIDC.url}"}),
        INVALID,
        f"No OpenIDConnect provider found in your account for http://{OIDC.url}",
    ),
    "a key that the provider does not have": (minted(key=ATTACKERS), INVALID, NO_KEY),
    "a key id that the provider does not have": (minted(kid="other"), INVALID, NO_KEY),
    "no signature": (".".join([*minted().split(".")[:2], ""]), INVALID, NO_KEY),
    "the algorithm none": (
        "eyJhbGciOiJub25lIn0." + minted().split(".")[1] + ".",
        INVALID,
        NO_KEY,
    ),
    "the public key as a shared secret": (
        signed_with_the_public_key_as_a_secret(),
        INVALID,
        NO_KEY,
    ),
    "claims changed after signing": (
        ".".join([minted().split(".")[0], minted({"sub": "root"}).split(".")[1], minted().split(".")[2]]),
        INVALID,
        NO_KEY,
    ),
    "another audience": (minted({"aud": ["other"]}), INVALID, "Incorrect token audience"),
    "an empty audience": (minted({"aud": []}), INVALID, "Incorrect token audience"),
    "no audience": (minted({"aud": None}), INVALID, "Missing a required claim: aud"),
    "no subject": (minted({"sub": None}), INVALID, "Missing a required claim: sub"),
    "no end": (minted({"exp": None}), INVALID, "Missing a required claim: exp"),
    "an end that is no number": (minted({"exp": "never"}), INVALID, "Invalid claim: exp"),
    "a beginning that is not yet": (minted({"nbf": SECOND + 61}), INVALID, "Invalid claim: nbf"),
    "an end that is now": (
        minted({"exp": SECOND}),
        "ExpiredTokenException",
        f"Token expired: current date/time {SECOND} must be before the expiration date/time {SECOND}",
    ),
}


@pytest.mark.parametrize(("token", "code", "message"), TOKENS.values(), ids=TOKENS.keys())
def test_a_token_is_refused_with(token: str, code: str, message: str | None) -> None:
    answer = assume(token)

    assert (answer.status, answer.code, answer.message) == (400, code, message)


GOOD = {
    "an audience that is no list": minted({"aud": "sts.amazonaws.com"}),
    "several audiences": minted({"aud": ["other", "sts.amazonaws.com"]}),
    "a clock that is half a minute ahead": minted({"iat": SECOND + 30, "nbf": SECOND + 30}),
    "one second left": minted({"exp": SECOND + 1}),
}


@pytest.mark.parametrize("token", GOOD.values(), ids=GOOD.keys())
def test_a_token_is_accepted_with(token: str) -> None:
    assert assume(token).status == 200


def test_a_token_that_nests_beyond_reason_is_no_jwt() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 12_000).rstrip(b"=").decode()

    assert assume(f"eyJhbGciOiJFUzI1NiJ9.{deep}.AAAA").message == NOT_A_JWT


@settings(max_examples=50)
@given(text=st.text(min_size=4, max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{4,40}(\.[A-Za-z0-9_-]{2,40}){2}"))
def test_no_text_is_more_than_refused(text: str) -> None:
    assert isinstance(read_token(text, provider=OIDC, keys=PUBLIC, now=NOON), Refusal)


@settings(max_examples=50)
@given(
    header=st.recursive(st.none() | st.booleans() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_no_header_is_more_than_refused(header: Any) -> None:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    token = f"{part({'alg': header, 'kid': header})}.{part(CLAIMS)}.AAAA"

    assert isinstance(read_token(token, provider=OIDC, keys=PUBLIC, now=NOON), Refusal)


def test_without_a_provider_no_token_is_accepted() -> None:
    assert isinstance(read_token(minted(), provider=None, keys=tokens().public_keys, now=NOON), Refusal)


def test_a_landscape_may_sign_with_rsa() -> None:
    key = RSAKey.generate_key(2048)
    token = WorkloadTokens(key, issuer=OIDC.url, clock=lambda: NOON).mint("orders", "orders")

    assert not isinstance(read_token(token, provider=OIDC, keys=public_key_set(key), now=NOON), Refusal)


@pytest.mark.parametrize("key", [ECKey.generate_key("P-256"), RSAKey.generate_key(2048)], ids=["EC", "RSA"])
def test_a_key_is_the_same_after_being_kept(key: ECKey | RSAKey) -> None:
    again = key_from_pem(key_to_pem(key))

    assert type(again) is type(key)
    assert again.thumbprint() == key.thumbprint()


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_told_so(text: bytes) -> None:
    with pytest.raises(ValueError, match="not a private RSA or EC key"):
        key_from_pem(text)


def test_the_public_keys_hold_nothing_private() -> None:
    (key,) = tokens().public_keys.as_dict()["keys"]

    assert "d" not in key
    assert not next(iter(tokens().public_keys)).is_private


def test_tokens_are_not_minted_with_a_public_key() -> None:
    public = next(iter(tokens().public_keys))
    assert isinstance(public, ECKey)

    with pytest.raises(ValueError, match="private key"):
        WorkloadTokens(public, issuer=OIDC.url)
