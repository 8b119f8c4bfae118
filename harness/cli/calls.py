"""Commands that act as a role: call, credentials."""

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import requests
import typer

from harness.cli.options import options
from harness.clock import extended_iso
from harness.errors import InputError, Problem


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
    method: Annotated[str, typer.Argument(metavar="METHOD")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="with the version: /v2/orders")],
    role: Annotated[str, typer.Option("--as", metavar="ROLE", help="who calls: a role of the manifests")],
    data: Annotated[
        str | None, typer.Option("--data", "-d", help="body; @FILE reads a file, - standard input; JSON by default")
    ] = None,
    header: Annotated[list[str] | None, typer.Option("--header", "-H", metavar="NAME: VALUE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="status, headers and body as one JSON object")] = False,
) -> None:
    """Make a signed call through the workbench's VPC endpoint and print the whole answer. Exit code 1 from 400 on."""
    harness = options(context).harness()
    body = _body(data)
    headers = dict(_header(text) for text in header or ())
    if body is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    if not path.startswith("/"):
        raise InputError([Problem("PATH", 0, f'"{path}" must start with / and the version, such as /v1/{path}')])
    session = harness.session(api, role)
    try:
        response = session.request(
            method.upper(), harness.workbench + path, data=body, headers=headers, timeout=60, allow_redirects=False
        )
    except requests.RequestException as error:
        print(f"harness: no answer from {harness.workbench}: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
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
    if response.status_code >= 400:
        raise typer.Exit(1)


def _body(data: str | None) -> bytes | None:
    if data is None:
        return None
    if data == "-":
        return sys.stdin.buffer.read()
    if data.startswith("@"):
        file = Path(data[1:])
        if not file.is_file():
            raise InputError([Problem("--data", 0, f"no file {file}")])
        return file.read_bytes()
    return data.encode()


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise InputError([Problem("--header", 0, f'"{text}" is not of the form "Name: value"')])
    return name.strip(), value.strip()


def _parsed(response: requests.Response) -> object:
    try:
        return response.json()
    except ValueError:
        return response.text


def _pretty(response: requests.Response) -> str:
    parsed = _parsed(response)
    return parsed if isinstance(parsed, str) else json.dumps(parsed, indent=2, ensure_ascii=False)


def credentials(
    context: typer.Context,
    role: Annotated[str, typer.Argument(metavar="ROLE")],
    form: Annotated[
        CredentialFormat,
        typer.Option("--format", help="env: for eval; json: for credential_process; profile: for ~/.aws/config"),
    ] = CredentialFormat.ENV,
    duration: Annotated[int, typer.Option("--duration", min=900, max=43200, help="seconds")] = 3600,
) -> None:
    """Temporary credentials of a role, for the aws command line, curl --aws-sigv4 and every SDK."""
    chosen = options(context)
    harness = chosen.harness()
    if form is CredentialFormat.PROFILE:
        command = ["harness", "--file", str(chosen.manifest()), "credentials", role, "--format", "json"]
        print(f"[profile {role}]\nregion = {harness.region}\nendpoint_url = {harness.workbench}")
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
