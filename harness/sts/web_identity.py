"""Web identity as on EKS: tokens that say which domain a container runs, and the check of such a token at STS.

A container that cannot reach a credential endpoint on loopback holds a token file; its SDK sends the token,
unsigned, with `AssumeRoleWithWebIdentity` and gets role credentials. The claims are those of a projected service
account token.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jws import extract_compact

from harness.clock import Clock, utc_now
from harness.identity import OidcProvider
from harness.policy import ContextValue
from harness.query_protocol.answers import Refusal

AUDIENCE = "sts.amazonaws.com"
TOKEN_SECONDS = 3600
# What IAM accepts of an OpenID Connect provider and joserfc can check; never `none`, never a shared secret.
ALGORITHMS = ("RS256", "ES256")
# A provider's clock may be a little ahead; nothing may be used after its end.
NOT_BEFORE_LEEWAY_SECONDS = 60

NOT_A_JWT = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
NO_KEY = (
    "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity"
    " documentation for requirements"
)

PrivateKey = RSAKey | ECKey


class WorkloadTokens:
    """Mints the tokens of the landscape's containers. `issuer` is the provider's URL without scheme, as in its ARN."""

    def __init__(self, key: PrivateKey, *, issuer: str, clock: Clock = utc_now, seconds: int = TOKEN_SECONDS) -> None:
        if not key.is_private:
            raise ValueError("a private key is needed to mint tokens")
        key.ensure_kid()
        self._key = key
        self._issuer = issuer
        self._clock = clock
        self._seconds = seconds
        self._algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"

    def mint(self, domain: str, account_name: str) -> str:
        """A token for one container of `domain`; valid from now for the seconds given."""
        now = int(self._clock().timestamp())
        claims = {
            "iss": f"https://{self._issuer}",
            "sub": subject(account_name, domain),
            "aud": [AUDIENCE],
            "iat": now,
            "nbf": now,
            "exp": now + self._seconds,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(
            {"alg": self._algorithm, "kid": self._key.kid}, claims, self._key, algorithms=list(ALGORITHMS)
        )

    @property
    def public_keys(self) -> KeySet:
        return public_key_set(self._key)


def generate_key() -> ECKey:
    """A new signing key (P-256), with the id that its public half goes by."""
    key = ECKey.generate_key("P-256")
    key.ensure_kid()
    return key


def key_to_pem(key: PrivateKey) -> bytes:
    return key.as_pem(private=True)


def key_from_pem(pem: bytes) -> PrivateKey:
    """Raises ValueError when the text is neither an RSA nor an EC key."""
    for kind in (ECKey, RSAKey):
        try:
            return kind.import_key(pem)
        except (JoseError, TypeError, ValueError, AttributeError):
            continue
    raise ValueError("not a private RSA or EC key in PEM")


def public_key_set(key: PrivateKey) -> KeySet:
    """What a verifier may know: the public half alone, with the same key id."""
    key.ensure_kid()
    public: Any = key.as_dict(private=False)
    return KeySet([type(key).import_key(public)])


def subject(account_name: str, domain: str) -> str:
    return f"system:serviceaccount:{account_name}:{domain}"


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """What a token proved. `audience` is the one of its audiences that the provider is registered with."""

    provider: OidcProvider
    subject: str
    audience: str

    def context(self, account: str) -> dict[str, ContextValue]:
        """Condition keys of a trust policy in `account`: `{issuer}:sub`, `{issuer}:aud`, names in lower case."""
        issuer = self.provider.url.lower()
        return {
            f"{issuer}:sub": self.subject,
            f"{issuer}:aud": self.audience,
            "aws:federatedprovider": self.provider.arn(account),
        }


def read_token(
    token: str, *, provider: OidcProvider | None, keys: KeySet | None, now: datetime
) -> WebIdentity | Refusal:
    """Issuer, signature, times and audience, in this order; texts as STS words them."""
    try:
        issuer = _unverified_issuer(token)
    except (JoseError, ValueError, TypeError):
        return Refusal("InvalidIdentityToken", NOT_A_JWT)
    if provider is None or keys is None or issuer != f"https://{provider.url}":
        return Refusal("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer}")
    try:
        claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
    except JoseError:
        return Refusal("InvalidIdentityToken", NO_KEY)
    instant = int(now.timestamp())
    try:
        _required_claims(provider, instant).validate(claims)
    except ExpiredTokenError:
        return Refusal(
            "ExpiredTokenException",
            f"Token expired: current date/time {instant} must be before the expiration date/time {claims['exp']}",
        )
    except MissingClaimError as missing:
        return Refusal("InvalidIdentityToken", f"Missing a required claim: {missing.claim}")
    except InvalidClaimError as invalid:
        if invalid.claim == "aud":
            return Refusal("InvalidIdentityToken", "Incorrect token audience")
        return Refusal("InvalidIdentityToken", f"Invalid claim: {invalid.claim}")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    audience = next(name for name in audiences if name in provider.client_ids)
    return WebIdentity(provider, claims["sub"], audience)


def _unverified_issuer(token: str) -> str:
    """Which provider to ask for keys. orjson refuses deep nesting, where json would exhaust the stack."""
    claims = orjson.loads(extract_compact(token.encode("ascii")).payload)
    issuer = claims["iss"] if isinstance(claims, dict) and "iss" in claims else ""
    if not isinstance(issuer, str) or not issuer:
        raise ValueError("no issuer")
    return issuer


def _required_claims(provider: OidcProvider, instant: int) -> jwt.JWTClaimsRegistry:
    needed: jwt.ClaimsOption = {"essential": True}
    audience: jwt.ClaimsOption = {"essential": True, "values": list(provider.client_ids)}
    return _Claims(now=instant, iss=needed, sub=needed, exp=needed, iat=needed, aud=audience)


class _Claims(jwt.JWTClaimsRegistry):
    """The end counts to the second; only the beginning may lie a little ahead."""

    def validate_nbf(self, value: object) -> None:
        self._not_before("nbf", value)

    def validate_iat(self, value: object) -> None:
        self._not_before("iat", value)

    def _not_before(self, claim: str, value: object) -> None:
        if not isinstance(value, int | float) or value > self.now + NOT_BEFORE_LEEWAY_SECONDS:
            raise InvalidClaimError(claim)
