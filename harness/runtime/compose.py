"""docker-compose.yml for a landscape: an edge, a router, and for each domain a container, a database and a network.

The file is read by docker-compose 1.29 and by Compose v2: no top-level `name`, no inline `configs`.

Networks are the boundaries: an account's network is internal and holds its domain, its database, and the edge, which is
there as the account's VPC endpoint. NATS lives on a network of its own with the edge and the router alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from harness.runtime.layout import (
    DEVELOPER_FOLDER,
    DOMAIN_PORT,
    EDGE_PORT,
    KEYS_IN_CONTAINER,
    LANDSCAPE_IN_CONTAINER,
    PUBLIC_PORT,
    ROUTER_HEALTH_PORT,
    TOKEN_FILE,
    TOKEN_FOLDER,
    TOKENS_IN_EDGE,
    WORKBENCH_ALIAS,
    api_alias,
    endpoint_alias,
)

CLOCK_FACTOR = "HARNESS_CLOCK_FACTOR"
HEADER = """\
# Written by `harness compose` from harness.yaml and the domains' manifests: change those, then run it again.
# `docker compose up` brings the landscape up; the workbench is http://localhost:{workbench}.
"""


@dataclass(frozen=True, slots=True)
class ComposeDomain:
    """`account` is a name. `dockerfile` is relative to the landscape's folder; empty when `image` is given.

    `apis_called`: the API's name -> the variable that holds its URL. `api_domain_name`: the custom domain name that
    leads to the domain's own API, or empty.
    """

    name: str
    account: str
    role_arn: str
    dockerfile: str = ""
    image: str = ""
    database: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    bus_arn: str = ""
    apis_called: Mapping[str, str] = field(default_factory=dict)
    api_domain_name: str = ""


@dataclass(frozen=True, slots=True)
class ComposePlan:
    """`manifest` is the name of the landscape's own file, `mounts` the files and folders that manifests refer to,
    relative to the landscape's folder.
    """

    region: str
    workbench_port: int
    public_port: int
    domains: Sequence[ComposeDomain]
    accounts: Sequence[str]
    mounts: Sequence[str]
    manifest: str = "harness.yaml"


def database_service(domain: str) -> str:
    return f"{domain}-db"


def database_url(domain: str) -> str:
    return f"postgresql://{domain}:{_DATABASE_PASSWORD}@{database_service(domain)}:5432/{domain}"


# A database is reachable from its own account's network alone; the word keeps nobody out and is no secret.
_DATABASE_PASSWORD = "${HARNESS_DATABASE_PASSWORD:-local-only}"


def render(plan: ComposePlan) -> str:
    """The text of docker-compose.yml; the same plan gives the same text."""
    services: dict[str, Any] = {"keys": _keys(plan), "nats": _nats(), "edge": _edge(plan), "router": _router(plan)}
    volumes: dict[str, Any] = {"keys": {}, "nats-data": {}}
    networks: dict[str, Any] = {"workbench": {}, "bus": {"internal": True}}
    for account in plan.accounts:
        networks[account] = {"internal": True}
    for domain in plan.domains:
        services[domain.name] = _domain(domain, plan)
        volumes[f"{domain.name}-token"] = {}
        if domain.database:
            services[database_service(domain.name)] = _database(domain)
            volumes[f"{domain.name}-data"] = {}
    # No `version`: Compose v2 calls it obsolete, and 1.29 reads the file by the specification without it.
    document = {"services": services, "networks": networks, "volumes": volumes}
    body = yaml.dump(document, sort_keys=False, default_flow_style=False, width=120, Dumper=_Plain)
    return HEADER.format(workbench=plan.workbench_port) + body


class _Plain(yaml.SafeDumper):
    """No anchors: every service reads on its own."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _edge_image() -> dict[str, Any]:
    return {"image": "domain-harness/edge", "build": {"context": ".", "dockerfile": "docker/edge.Dockerfile"}}


def _manifest_mount(plan: ComposePlan) -> str:
    """By this name inside, whatever it is called outside."""
    return f"./{plan.manifest}:{LANDSCAPE_IN_CONTAINER}/harness.yaml:ro"


def _landscape_mounts(plan: ComposePlan) -> list[str]:
    return [_manifest_mount(plan), *(f"./{path}:{LANDSCAPE_IN_CONTAINER}/{path}:ro" for path in plan.mounts)]


def _keys(plan: ComposePlan) -> dict[str, Any]:
    """Runs once, as root and without a network: makes the keys and gives them to the edge's user and to the developer.

    The developer's copy lies in .harness/docker, owned by whoever owns harness.yaml, for `harness call` and the like.
    """
    return {
        **_edge_image(),
        "command": ["keys"],
        "user": "0:0",
        "network_mode": "none",
        "volumes": [
            f"./.harness:{DEVELOPER_FOLDER}",
            _manifest_mount(plan),
            f"keys:{KEYS_IN_CONTAINER}",
            *(f"{domain.name}-token:{TOKENS_IN_EDGE}/{domain.name}" for domain in plan.domains),
        ],
    }


def _nats() -> dict[str, Any]:
    return {
        "image": "nats:2",
        "command": ["--config", "/etc/harness/nats.conf"],
        "restart": "unless-stopped",
        "networks": ["bus"],
        "volumes": ["./docker/nats.conf:/etc/harness/nats.conf:ro", "nats-data:/data"],
    }


def _edge(plan: ComposePlan) -> dict[str, Any]:
    networks: dict[str, Any] = {"workbench": {"aliases": [WORKBENCH_ALIAS]}, "bus": {}}
    custom_names = {domain.name: domain.api_domain_name for domain in plan.domains}
    for account in plan.accounts:
        called = sorted({api for domain in plan.domains if domain.account == account for api in domain.apis_called})
        names = [api_alias(api, plan.region) for api in called]
        names += [custom for api in called if (custom := custom_names.get(api))]
        networks[account] = {"aliases": [endpoint_alias(account), *names]}
    return {
        **_edge_image(),
        "command": ["edge"],
        "init": True,
        "restart": "unless-stopped",
        "depends_on": {
            "keys": {"condition": "service_completed_successfully"},
            "nats": {"condition": "service_started"},
        },
        "ports": [f"127.0.0.1:{plan.workbench_port}:{EDGE_PORT}", f"127.0.0.1:{plan.public_port}:{PUBLIC_PORT}"],
        "networks": networks,
        "read_only": True,
        "tmpfs": ["/tmp"],
        "volumes": [
            f"keys:{KEYS_IN_CONTAINER}:ro",
            *(f"{domain.name}-token:{TOKENS_IN_EDGE}/{domain.name}" for domain in plan.domains),
            *_landscape_mounts(plan),
        ],
        "healthcheck": _http_check(EDGE_PORT, "/_harness/health"),
    }


def _router(plan: ComposePlan) -> dict[str, Any]:
    return {
        **_edge_image(),
        "command": ["router"],
        "init": True,
        "restart": "unless-stopped",
        "depends_on": {
            "keys": {"condition": "service_completed_successfully"},
            "nats": {"condition": "service_started"},
        },
        "networks": ["bus", *plan.accounts],
        "read_only": True,
        "tmpfs": ["/tmp"],
        "environment": {CLOCK_FACTOR: f"${{{CLOCK_FACTOR}:-}}"},
        "volumes": [f"keys:{KEYS_IN_CONTAINER}:ro", *_landscape_mounts(plan)],
        "healthcheck": _http_check(ROUTER_HEALTH_PORT, "/_harness/health"),
    }


def _domain(domain: ComposeDomain, plan: ComposePlan) -> dict[str, Any]:
    source: dict[str, Any] = (
        {"image": domain.image}
        if domain.image
        else {"image": f"domain-harness/{domain.name}", "build": {"context": ".", "dockerfile": domain.dockerfile}}
    )
    environment = {
        **domain.environment,
        "PORT": str(DOMAIN_PORT),
        "AWS_LWA_READINESS_CHECK_PATH": "/healthz",
        "AWS_REGION": plan.region,
        "AWS_DEFAULT_REGION": plan.region,
        "AWS_ENDPOINT_URL": f"http://{endpoint_alias(domain.account)}:{EDGE_PORT}",
        "AWS_ROLE_ARN": domain.role_arn,
        "AWS_ROLE_SESSION_NAME": domain.name,
        "AWS_WEB_IDENTITY_TOKEN_FILE": TOKEN_FILE,
    }
    if domain.bus_arn:
        environment["EVENT_BUS_ARN"] = domain.bus_arn
    depends: dict[str, Any] = {"edge": {"condition": "service_healthy"}}
    if domain.database:
        environment["DATABASE_URL"] = database_url(domain.name)
        depends[database_service(domain.name)] = {"condition": "service_healthy"}
    for api, variable in domain.apis_called.items():
        environment[variable] = f"http://{api_alias(api, plan.region)}:{EDGE_PORT}"
    return {
        **source,
        "init": True,
        "restart": "unless-stopped",
        "depends_on": depends,
        "networks": [domain.account],
        "environment": environment,
        "read_only": True,
        "tmpfs": ["/tmp"],
        "volumes": [f"{domain.name}-token:{TOKEN_FOLDER}:ro"],
        "stop_grace_period": "10s",
        "healthcheck": _http_check(DOMAIN_PORT, "/healthz"),
    }


def _database(domain: ComposeDomain) -> dict[str, Any]:
    return {
        "image": "postgres:18",
        "restart": "unless-stopped",
        "environment": {
            "POSTGRES_USER": domain.name,
            "POSTGRES_PASSWORD": _DATABASE_PASSWORD,
            "POSTGRES_DB": domain.name,
        },
        "networks": [domain.account],
        "volumes": [f"{domain.name}-data:/var/lib/postgresql"],
        "healthcheck": {
            "test": ["CMD", "pg_isready", "--username", domain.name, "--dbname", domain.name],
            "interval": "1s",
            "timeout": "5s",
            "retries": 60,
        },
    }


def _http_check(port: int, path: str) -> dict[str, Any]:
    """The images are Python's; `urlopen` raises on anything but 2xx."""
    script = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}{path}', timeout=3)"
    return {
        "test": ["CMD", "python", "-c", script],
        "interval": "2s",
        "timeout": "5s",
        "retries": 30,
        "start_period": "60s",
    }
