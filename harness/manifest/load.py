"""From a harness.yaml to the landscape that it and all it names describe, or to every mistake in them."""

from pathlib import Path

from harness.errors import InputError, Problem
from harness.identity.model import OidcProvider
from harness.manifest.authorities import link_authorities
from harness.manifest.buses import link_buses
from harness.manifest.domains import Surroundings, link_domains
from harness.manifest.model import Landscape, Ports
from harness.manifest.organisation import (
    link_accounts,
    link_endpoint_policies,
    link_roles,
    link_workbench,
)
from harness.manifest.policies import PolicyFiles
from harness.manifest.principals import unknown_roles
from harness.manifest.quota_file import limits_of
from harness.manifest.tree import link_memberships
from harness.manifest.written import read


def load(path: Path) -> Landscape:
    """The landscape of a harness.yaml. Raises InputError with all mistakes; files are named relative to its folder."""
    problems: list[Problem] = []
    landscape = _link(path, problems)
    if problems or landscape is None:
        raise InputError(sorted(set(problems)))
    return landscape


def _link(path: Path, problems: list[Problem]) -> Landscape | None:
    written = read(path, problems)
    if written is None:
        return None
    entry = written.entry
    policies = PolicyFiles(written.root)
    accounts = link_accounts(written)
    workbench = link_workbench(written, accounts)
    endpoint_policies = link_endpoint_policies(written, policies)
    memberships = link_memberships(written, accounts, policies)
    buses = link_buses(written, accounts, policies)
    roles = link_roles(written, accounts, policies)
    domains = link_domains(Surroundings(written, policies, accounts, buses, roles))
    documents = [document for document in policies.compiled.values() if document is not None]
    problems.extend(unknown_roles(documents, accounts, roles))
    if workbench is None:
        return None
    provider = entry.identity_provider
    return Landscape(
        file=written.path,
        organisation=entry.organisation.id,
        region=entry.region,
        ports=Ports(entry.ports.workbench.value, entry.ports.public.value),
        workbench=workbench,
        accounts=accounts,
        roles={role.arn: role for named in roles.built.values() for role in named.values()},
        buses=buses,
        domains=domains,
        oidc=OidcProvider(provider.url, provider.audiences) if provider else None,
        memberships=memberships,
        endpoint_policies=endpoint_policies,
        ca_file=link_authorities(written),
        limits=limits_of(entry.quotas),
    )
