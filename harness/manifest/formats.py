"""The forms of names and identifiers, one line each: AWS's grammar where AWS has one, else what a host name allows."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from harness.manifest.fields import FAILED, Failed, Where, described, text
from harness.yaml_source import Kind, Node, Scalar


@dataclass(frozen=True, slots=True)
class Form:
    """`mend` completes "is not …"; `pattern` must match the whole text."""

    pattern: re.Pattern[str]
    mend: str

    def mistake(self, value: str) -> str:
        """What is wrong with a text, or nothing."""
        return "" if self.pattern.fullmatch(value) else f'"{value}" is not {self.mend}'

    def __call__(self, node: Node, where: Where) -> str | Failed:
        value = text(node, where)
        if value is FAILED:
            return FAILED
        mistake = self.mistake(value)
        return where.wrong(node.line, mistake) if mistake else value


def _form(pattern: str, mend: str) -> Form:
    return Form(re.compile(pattern, re.ASCII), mend)


ACCOUNT_ID = _form(r"[0-9]{12}", 'an account id: twelve digits in quotes, as "111122223333"')
# Domains and accounts are parts of host names (`{api}.execute-api.localhost`) and of `<PROVIDER>_API_URL`.
NAME = _form(
    r"[a-z](-?[a-z0-9]){0,39}",
    "a name: small letters, digits and single hyphens, a letter first, at most 40 characters",
)
ORGANISATION = _form(r"o-[a-z0-9]{10,32}", 'an organisation id: "o-" and 10 to 32 small letters or digits')
ROOT = _form(r"r-[0-9a-z]{4,32}", 'the id of a root: "r-" and 4 to 32 small letters or digits')
UNIT = _form(
    r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}",
    'the id of an organisational unit, as "ou-ab12-11111111": the root\'s letters and digits, then 8 to 32 of its own',
)
REGION = _form(r"[a-z]{2}(-[a-z]+)+-[0-9]", 'a region, as "eu-west-1"')
VPC = _form(r"vpc-([0-9a-f]{8}|[0-9a-f]{17})", 'a VPC id: "vpc-" and 8 or 17 hexadecimal digits')
VPC_ENDPOINT = _form(r"vpce-([0-9a-f]{8}|[0-9a-f]{17})", 'a VPC endpoint id: "vpce-" and 8 or 17 hexadecimal digits')
ROLE = _form(r"[\w+=,.@-]{1,64}", "a role name: at most 64 letters, digits or any of +=,.@_-")
ROLE_PATH = _form(r"/([!-~]{1,510}/)?", 'a role path: it begins and ends with "/"')
TAG_KEY = _form(r"[\w\s.:/=+@-]{1,128}", "a tag key: at most 128 letters, digits, spaces or any of _.:/=+@-")
BUS = _form(r"[/.\-_A-Za-z0-9]{1,256}", "a bus name: at most 256 letters, digits or any of ./_-")
RULE = _form(r"[.\-_A-Za-z0-9]{1,64}", "a rule name: at most 64 letters, digits or any of ._-")
QUEUE = _form(r"[A-Za-z0-9_-]{1,80}", "a queue name: at most 80 letters, digits or any of _-")
QUEUE_NAME = _form(
    r"(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?",
    'a queue name: at most 80 letters, digits or any of _-, with ".fifo" at the end of a FIFO queue\'s',
)
TOPIC_NAME = _form(
    r"(?=.{1,256}$)[A-Za-z0-9_-]+(\.fifo)?",
    'a topic name: at most 256 letters, digits or any of _-, with ".fifo" at the end of a FIFO topic\'s',
)
VERSION = _form(r"v[1-9][0-9]{0,3}", 'a major version, as "v1"')
EVENT = _form(r"[A-Za-z][A-Za-z0-9]*\.v[1-9][0-9]{0,3}", 'an event and its version, as "OrderPlaced.v1"')
# OpenID Connect Discovery 1.0, section 3, without the scheme, as IAM writes the provider in its ARN.
ISSUER = _form(
    r"[a-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]+)*",
    'an issuer: a host and path without "https://" and without a last "/", as "oidc.harness.test/landscape"',
)
VARIABLE = _form(r"[A-Za-z_][A-Za-z0-9_]*", "a variable name: letters, digits and _, no digit first")
IMAGE = _form(r"[a-z0-9][A-Za-z0-9._/:@-]*", 'an image reference, as "registry.example/orders:1.4"')


# RFC 1123 section 2.1; names that already mean something else are no custom domain's.
DOMAIN_NAME = _form(
    r"(?!.*\.(amazonaws\.com|localhost|[0-9]+)$)(?=.{1,253}$)"
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+",
    'a domain name of your own: small letters, digits, hyphens and dots, as "orders.internal.example"',
)


def account_id(node: Node, where: Where) -> str | Failed:
    """Unquoted, twelve digits are a number to YAML, and a leading zero is lost to the next tool that reads them."""
    if isinstance(node, Scalar) and node.kind is Kind.INTEGER:
        digits = node.text.replace("_", "").replace("-", "")
        padded = digits.zfill(12) if digits.isdigit() else digits
        mend = f'write "{padded}"' if ACCOUNT_ID.mistake(padded) == "" else "it has twelve digits"
        return where.wrong(node.line, f"{node.text} without quotes is a number, not an account id: {mend}")
    return ACCOUNT_ID(node, where)


def day(node: Node, where: Where) -> date | Failed:
    """A calendar date, quoted or not; a date with a time of day is refused."""
    if isinstance(node, Scalar) and node.kind in (Kind.DATE, Kind.TEXT) and len(node.text) == len("2026-01-31"):
        try:
            return date.fromisoformat(node.text)
        except ValueError as error:
            return where.wrong(node.line, f'"{node.text}" is not a date: {error}')
    return where.wrong(node.line, f"must be a date, as 2026-01-31, not {described(node)}")


def relative_path(node: Node, where: Where) -> Path | Failed:
    """A path relative to the file that names it; nothing is looked up yet."""
    value = text(node, where)
    if value is FAILED:
        return FAILED
    if value.startswith(("/", "~")) or "\\" in value or "\0" in value:
        mend = "write a path relative to this file, with / between folders"
        return where.wrong(node.line, f'"{value}" is not a relative path: {mend}')
    return Path(value)


SET_BY_HARNESS: Final = (
    "PORT",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_LWA_READINESS_CHECK_PATH",
    "DATABASE_URL",
    "EVENT_BUS_ARN",
)
CREDENTIALS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)


def variable(name: str) -> str:
    """What is wrong with a name that a manifest gives to an environment variable, or nothing."""
    if name in SET_BY_HARNESS:
        return f'"{name}" is set by the harness: take it out'
    if name in CREDENTIALS:
        return f'"{name}" would take the place of the role\'s rotating credentials: take it out'
    return VARIABLE.mistake(name)
