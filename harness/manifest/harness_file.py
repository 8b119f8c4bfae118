"""What a harness.yaml may say: the platform team's side of a landscape."""

from collections.abc import Mapping
from pathlib import Path

from harness.bus.model import ValidationMode
from harness.bus.patterns.pattern import MODEL_CHARACTERS, QUOTA_CHARACTERS
from harness.manifest import formats
from harness.manifest.endpoint_file import NO_ENDPOINT, AnyEndpoint, EndpointEntry, endpoint, own_or_shared
from harness.manifest.fields import (
    At,
    boolean,
    integer,
    located,
    mapping,
    one_of,
    optional,
    record,
    required,
    sequence,
    shape,
    text,
)
from harness.manifest.organisation_file import OrganisationEntry, organisation
from harness.manifest.quota_file import QuotasEntry
from harness.manifest.roles import PATH, RoleEntry
from harness.manifest.throttle_file import LimitEntry

PORT = integer(0, 65_535)  # 0: any free one


@shape
class PortsEntry:
    workbench: At[int] = optional(
        located(PORT), default=At(4566, 0), about="your own VPC endpoint; 4566 by default, 0 takes a free port"
    )
    public: At[int] = optional(
        located(PORT), default=At(4567, 0), about="the public internet; 4567 by default, 0 takes a free port"
    )


@shape
class IdentityProviderEntry:
    url: str = required(formats.ISSUER, instead="", about="its issuer, without `https://`, as in the provider's ARN")
    audiences: tuple[str, ...] = optional(
        sequence(text, at_least=1),
        default=("sts.amazonaws.com",),
        about="accepted `aud` values; `[sts.amazonaws.com]` by default",
    )


@shape
class AccountEntry:
    id: At[str] = required(located(formats.account_id), instead=At("", 0), about="twelve digits, in quotes")
    vpc: str = required(formats.VPC, instead="", about="the VPC that its services run in")
    endpoint: At[AnyEndpoint] = required(
        own_or_shared,
        instead=NO_ENDPOINT,
        about="its VPC endpoint for execute-api, `aws:SourceVpce` of what comes from there: an id, or as below",
    )
    port: At[int] = optional(
        located(PORT), default=At(0, 0), about="port of that endpoint's listener; by default a free one"
    )
    roles: Mapping[str, At[RoleEntry]] = optional(
        mapping(formats.ROLE.mistake, located(record(RoleEntry))), default={}, about="roles of the account"
    )
    service_control_policies: tuple[At[Path], ...] = optional(
        sequence(PATH, at_least=1),
        default=(),
        about="those attached to the account itself (files); `[FullAWSAccess]` by default, as on AWS",
    )
    throttle: LimitEntry | None = optional(
        record(LimitEntry), default=None, about="requests to all APIs of the account together; by default no limit"
    )


@shape
class WorkbenchEntry:
    vpc: str = required(formats.VPC, instead="", about="the VPC that you call from")
    endpoint: EndpointEntry = required(
        endpoint,
        instead=EndpointEntry(id=At("", 0)),
        about="the VPC endpoint that you call through: an id, or `id` and `policy` as an account's",
    )
    account: At[str] | None = optional(located(text), default=None, about="the account that owns them; none by default")


@shape
class ValidationEntry:
    mode: str = required(
        one_of(*ValidationMode),
        instead=ValidationMode.OFF,
        about="what becomes of an event that breaks its contract: `off` (nobody looks), `warn` (a line in the log), "
        "`reject` (the entry fails) or `quarantine` (it is put aside)",
    )
    strict: bool = optional(
        boolean, default=False, about="`true`: an event that has no contract breaks it; by default it goes on"
    )
    quarantine: At[str] | None = optional(
        located(formats.BUS),
        default=None,
        about="where `quarantine` puts events: a bus of the same account, which need not be declared; "
        "by default the bus's name and `-quarantine`",
    )


@shape
class BusEntry:
    account: At[str] = required(located(text), instead=At("", 0), about="the account that owns the bus")
    policy: At[Path] | None = optional(
        PATH, default=None, about="bus policy: who may put events from other accounts (file); none by default"
    )
    validation: ValidationEntry | None = optional(
        record(ValidationEntry), default=None, about="events checked against their contracts when they are put"
    )
    event_pattern_characters: int = optional(
        integer(QUOTA_CHARACTERS, MODEL_CHARACTERS),
        default=QUOTA_CHARACTERS,
        about="how long a rule's pattern may be, EventBridge's quota: 2048 to 4096, 2048 by default",
    )


@shape
class HarnessFile:
    organisation: OrganisationEntry = required(
        organisation,
        instead=OrganisationEntry(id=""),
        about="the AWS organisation: its id, `aws:PrincipalOrgID`, or as below",
    )
    region: str = required(formats.REGION, instead="", about="the region that everything lives in")
    ports: PortsEntry = optional(record(PortsEntry), default=PortsEntry(), about="ports on this machine")
    identity_provider: IdentityProviderEntry | None = optional(
        record(IdentityProviderEntry),
        default=None,
        about="the OpenID Connect provider that every account trusts; it signs what containers show to STS",
    )
    accounts: Mapping[str, At[AccountEntry]] = required(
        mapping(formats.NAME.mistake, located(record(AccountEntry))), instead={}, about="the accounts, by name"
    )
    workbench: WorkbenchEntry | None = required(
        record(WorkbenchEntry), instead=None, about="your own place in the network: calls to the workbench port"
    )
    buses: Mapping[str, At[BusEntry]] = optional(
        mapping(formats.BUS.mistake, located(record(BusEntry))), default={}, about="shared event buses, by name"
    )
    quotas: QuotasEntry = optional(
        record(QuotasEntry), default=QuotasEntry(), about="EventBridge's quotas; AWS's own by default"
    )
    contracts: At[Path] = optional(
        PATH,
        default=At(Path("contracts"), 0),
        about="folder of the contracts, `<domain>/events/<Event>.v<N>.json` in it; `contracts` by default",
    )
    ca_file: At[Path] | None = optional(
        PATH,
        default=None,
        about="certificates (PEM) of authorities that vouch for API destinations, besides the system's own",
    )
    include: tuple[At[str], ...] = required(
        sequence(located(text)),
        instead=(),
        about="the domains' manifests: paths relative to this file, with `*` and `**`",
    )
