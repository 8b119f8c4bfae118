"""What an account may have of EventBridge's resources. Source: EventBridge user guide, "Amazon EventBridge quotas"."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """An account's quotas, as AWS has them before any is raised.

    `replays`: at once. `put_events_bytes`: of one call; AWS took 262,144 until January 2026.
    """

    buses: int = 100
    rules_per_bus: int = 300
    targets_per_rule: int = 5
    pattern_characters: int = 2048
    replays: int = 10
    connections: int = 3000
    api_destinations: int = 3000
    tags: int = 50
    put_events_bytes: int = 1_048_576
