"""The service of schemas over a landscape's contracts and buses."""

from datetime import UTC, datetime

from harness.access import Authority
from harness.manifest import Landscape
from harness.schemas.api import SchemasApi
from harness.schemas.discoverers import Discoverers
from harness.schemas.model import Contract
from harness.schemas.registries import ContractRegistry, DiscoveredRegistry
from harness.storage.replica import Replica


def schemas(authority: Authority, replica: Replica, landscape: Landscape) -> SchemasApi:
    return SchemasApi(
        authority,
        [ContractRegistry(_contracts(landscape)), DiscoveredRegistry(replica)],
        Discoverers(replica),
        region=landscape.region,
        buses=landscape.buses_by_arn,
    )


def _contracts(landscape: Landscape) -> list[Contract]:
    """Of the events that domains publish, each as old as its file."""
    return [
        Contract(
            event.source,
            event.detail_type,
            event.schema,
            datetime.fromtimestamp(event.contract.stat().st_mtime, UTC),
            name,
        )
        for name, domain in landscape.domains.items()
        for event in domain.publishes
    ]
