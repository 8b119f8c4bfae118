"""What a change of an event does to who expects it, and to the rules that match it."""

from collections.abc import Iterator

from harness.contracts.consumers.change import EventChange
from harness.contracts.consumers.hurt import Hurt
from harness.contracts.consumers.impact_on_reading import of_reading
from harness.contracts.consumers.patterns import paths_read, wants_presence
from harness.contracts.consumers.places import path_of, steps_of, touches
from harness.contracts.consumers.reading import Given, presence
from harness.contracts.consumers.subscriptions import addressed, can_match
from harness.contracts.consumers.uses import Footprint, MessageUse, Said, Subscription
from harness.contracts.field_path import FieldPath, show_field_path
from harness.contracts.finding import Place


def of_message(use: MessageUse, place: Place, change: EventChange) -> Iterator[Hurt]:
    if change.new is None:
        yield Hurt(use.said, True, "")
    elif use.expected is not None:
        old = Given(change.old.contract.detail) if change.old else None
        yield from of_reading(use.said, use.expected, place.field, old, Given(change.new.contract.detail))


def of_rule(
    rule: Subscription, place: Place, change: EventChange, footprint: Footprint, *, told: bool
) -> Iterator[Hurt]:
    """A rule is hurt where it stops matching, and where its target reads what changes."""
    if change.old is None or not addressed(rule.pattern, [change.old]):
        return
    said = Said(rule.consumer, footprint.provider, f'rule "{rule.rule}"', rule.source)
    if change.new is None:
        yield Hurt(said, True, "")
        return
    if can_match(rule.pattern, change.old.event) and not can_match(rule.pattern, change.new.event):
        yield Hurt(said, True, f"no longer matches any {change.detail_type}")
        return
    lost = _lost_path(rule, place, change.old.event, change.new.event)
    if lost is not None:
        yield Hurt(said, False, f"its pattern reads {lost}")
    if rule.reads is not None:
        yield from _taken(rule, said, place, change.old.event, change.new.event)
    elif not told and lost is None:
        yield Hurt(said, False, "which fields its target reads is not known")


def _lost_path(rule: Subscription, place: Place, old: Given, new: Given) -> str | None:
    """A path that the pattern needs, at the place of the change, and that events no longer always have."""
    changed = tuple(step for step in place.field if step != "*")
    for path, alternatives in paths_read(rule.pattern).items():
        if path[0] != "detail" or not wants_presence(alternatives) or path[1 : len(changed) + 1] != changed:
            continue
        whole = _detail_path(place.field, path)
        if old.is_within(presence(whole)) and not new.is_within(presence(whole)):
            return show_field_path(path)
    return None


def _detail_path(field: tuple[str, ...], path: tuple[str, ...]) -> FieldPath:
    """The pattern's path with the arrays that the place of the change steps into."""
    rest = len([step for step in field if step != "*"])
    return ("detail", *path_of(field), *path[rest + 1 :])


def _taken(rule: Subscription, said: Said, place: Place, old: Given, new: Given) -> Iterator[Hurt]:
    """What an input path or transformer takes out of the event."""
    where = ("detail", *place.field)
    for name, path in (rule.reads or {}).items():
        if not touches(where, path) and not touches(steps_of(path), path_of(where)):
            continue
        gone = old.declares(path) and not new.declares(path)
        optional = old.is_within(presence(path)) and not new.is_within(presence(path))
        shown = f"takes {show_field_path(path)}{f' for <{name}>' if name else ''}"
        yield Hurt(said, gone or optional, shown)
