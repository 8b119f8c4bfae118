"""What a harness.yaml may say of EventBridge's quotas, all of which AWS raises on request or has raised."""

from harness.bus.limits import Limits
from harness.manifest.fields import integer, optional, shape

_AS_AWS = Limits()
_MOST = 100_000


@shape
class QuotasEntry:
    buses: int = optional(
        integer(1, _MOST), default=_AS_AWS.buses, about="event buses of an account, its default bus among them; 100"
    )
    rules_per_bus: int = optional(
        integer(1, _MOST), default=_AS_AWS.rules_per_bus, about="rules of a bus, the manifests' among them; 300"
    )
    targets_per_rule: int = optional(
        integer(1, 100), default=_AS_AWS.targets_per_rule, about="targets of a rule, at most 100; 5"
    )
    replays: int = optional(integer(1, _MOST), default=_AS_AWS.replays, about="replays of an account at once; 10")
    put_events_bytes: int = optional(
        integer(1, 1_048_576),
        default=_AS_AWS.put_events_bytes,
        about="size of one PutEvents; 1048576, before January 2026 it was 262144",
    )


def limits_of(entry: QuotasEntry) -> Limits:
    return Limits(
        buses=entry.buses,
        rules_per_bus=entry.rules_per_bus,
        targets_per_rule=entry.targets_per_rule,
        replays=entry.replays,
        put_events_bytes=entry.put_events_bytes,
    )
