"""How a VPC endpoint is written: its id alone, its id and policy, or whose endpoint is shared."""

from pathlib import Path

from harness.manifest import formats
from harness.manifest.fields import FAILED, At, Failed, Where, located, optional, record, required, shape, text
from harness.manifest.roles import PATH
from harness.yaml_source import Node, Table


@shape
class EndpointEntry:
    id: At[str] = required(located(formats.VPC_ENDPOINT), instead=At("", 0), about="id of the VPC endpoint")
    policy: At[Path] | None = optional(
        PATH, default=None, about="endpoint policy: who may call what through it (file); by default it lets all through"
    )


@shape
class SharedEndpointEntry:
    shared: At[str] = required(
        located(text),
        instead=At("", 0),
        about="the account whose endpoint, in that account's VPC, the calls go through",
    )


def endpoint(node: Node, where: Where) -> EndpointEntry | Failed:
    if isinstance(node, Table):
        return record(EndpointEntry)(node, where)
    alone = located(formats.VPC_ENDPOINT)(node, where)
    return FAILED if alone is FAILED else EndpointEntry(id=alone)


AnyEndpoint = EndpointEntry | SharedEndpointEntry
NO_ENDPOINT: At[AnyEndpoint] = At(EndpointEntry(id=At("", 0)), 0)


def own_or_shared(node: Node, where: Where) -> At[AnyEndpoint] | Failed:
    shared = isinstance(node, Table) and any(entry.key == "shared" for entry in node.entries)
    value = record(SharedEndpointEntry)(node, where) if shared else endpoint(node, where)
    return FAILED if value is FAILED else At(value, node.line)
