"""Commands that act as a role: call, credentials."""

import json
import re
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import options
from harness.clock import extended_iso
from harness.errors import InputError, NotRunning, Problem

if TYPE_CHECKING:
    import requests

# RFC 9110 sections 5.1 and 5.5: a token; and no control characters in a value.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
DEFAULT_SECONDS = 3600


class CredentialFormat(StrEnum):
    ENV = "env"
    JSON = "json"
    PROFILE = "profile"


def add_to(app: typer.Typer) -> None:
    app.command()(call)
    app.command()(credentials)


def call(
    context: typer.Context,
    api: Annotated[str, typer.Argument(metavar="API", help="the domain whose API is called")],
    method: Annotated[str, typer.Argument(metavar="METHOD", help="such as GET or POST")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="with the version: /v2/orders")],
    role: Annotated[str, typer.Option("--as", metavar="ROLE", help="who calls: a role of the manifests")],
    data: Annotated[
        str | None, typer.Option("--data", "-d", help="body; @FILE reads a file, - standard input; JSON by default")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="NAME: VALUE", help="any number of them")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="status, headers and body as one JSON object")] = False,
) -> None:
    """Make a signed call through the workbench's VPC endpoint and print the whole answer. Exit code 1 from 400 on."""
    import requests

    from harness.local.handle import no_answer

    _check_target(method, path)
    body = _body(data)
    headers = _headers(header or ())
    if body is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    harness = options(context).harness()
    session = harness.session(api, role)
    try:
        response = session.request(
            method.upper(), harness.workbench + path, data=body, headers=headers, timeout=60, allow_redirects=False
        )
    except requests.RequestException as error:
        raise NotRunning(no_answer(harness.workbench, error)) from error
    if as_json:
        print(
            json.dumps({"status": response.status_code, "headers": dict(response.headers), "body": _parsed(response)})
        )
    else:
        print(f"{response.status_code} {response.reason}")
        for name, value in response.headers.items():
            print(f"{name}: {value}")
        print()
        print(_pretty(response))
    request_id = response.headers.get("x-amzn-RequestId")
    if response.status_code == 403 and request_id:
        print(f"why: {options(context).command_line(['explain', request_id])}", file=sys.stderr)
    if response.status_code >= 400:
        raise typer.Exit(1)


def _check_target(method: str, path: str) -> None:
    problems = []
    if not _TOKEN.fullmatch(method):
        problems.append(Problem("METHOD", 0, f'"{method}" is not a method, such as GET or POST'))
    if not path.startswith("/"):
        problems.append(Problem("PATH", 0, f'"{path}" must start with / and the version, such as /v1/{path}'))
    if problems:
        raise InputError(problems)


def _body(data: str | None) -> bytes | None:
    if data is None:
        return None
    if data == "-":
        return sys.stdin.buffer.read()
    if data.startswith("@"):
        file = Path(data[1:])
        try:
            return file.read_bytes()
        except OSError as error:
            text = f"{file} cannot be read ({error.strerror}): @ is followed by the name of a file"
            raise InputError([Problem("--data", 0, text)]) from error
    return data.encode()


def _headers(texts: list[str] | tuple[str, ...]) -> dict[str, str]:
    """Raises `InputError` with every mistake. One given twice is sent as a list (RFC 9110 section 5.3)."""
    headers: dict[str, str] = {}
    problems = []
    for text in texts:
        name, colon, value = (part.strip() for part in text.partition(":"))
        if not colon or not _TOKEN.fullmatch(name):
            problems.append(Problem("--header", 0, f'"{text}" is not of the form "Name: value"'))
        elif not _FIELD_VALUE.fullmatch(value):
            problems.append(Problem("--header", 0, f"the value of {name} has a character that no header can hold"))
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if problems:
        raise InputError(problems)
    return headers


def _parsed(response: "requests.Response") -> object:
    try:
        return response.json()
    except ValueError:
        return response.text


def _pretty(response: "requests.Response") -> str:
    parsed = _parsed(response)
    return parsed if isinstance(parsed, str) else json.dumps(parsed, indent=2, ensure_ascii=False)


def credentials(
    context: typer.Context,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="a role of the manifests: NAME, ACCOUNT/NAME or ARN")],
    form: Annotated[
        CredentialFormat,
        typer.Option("--format", help="env: for eval; json: for credential_process; profile: for ~/.aws/config"),
    ] = CredentialFormat.ENV,
    duration: Annotated[int, typer.Option("--duration", min=900, max=43200, help="seconds")] = DEFAULT_SECONDS,
) -> None:
    """Temporary credentials of a role, for the aws command line, curl --aws-sigv4 and every SDK."""
    chosen = options(context)
    harness = chosen.harness()
    if form is CredentialFormat.PROFILE:
        name = harness.landscape.role(role).name
        # By absolute paths: an SDK runs it from anywhere, with another search path.
        command = [sys.executable, "-m", "harness.cli.main", "--file", str(chosen.manifest())]
        command += ["--state", str(chosen.state_folder()), "credentials", role, "--format", "json"]
        command += ["--duration", str(duration)] if duration != DEFAULT_SECONDS else []
        print(f"[profile {name}]\nregion = {harness.region}\nendpoint_url = {harness.workbench}")
        print(f"credential_process = {shlex.join(command)}")
        return
    issued = harness.credentials(role, seconds=duration)
    if form is CredentialFormat.JSON:
        document = {
            "Version": 1,
            "AccessKeyId": issued.access_key_id,
            "SecretAccessKey": issued.secret_access_key,
            "SessionToken": issued.session_token,
            "Expiration": extended_iso(issued.expiration),
        }
        print(json.dumps(document, indent=2))
        return
    for name, value in (
        ("AWS_ACCESS_KEY_ID", issued.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", issued.secret_access_key),
        ("AWS_SESSION_TOKEN", issued.session_token),
        ("AWS_REGION", harness.region),
        ("AWS_DEFAULT_REGION", harness.region),
        ("AWS_ENDPOINT_URL", harness.workbench),
    ):
        print(f"export {name}={shlex.quote(value)}")
