"""The shared buses of a landscape, and what becomes of events there that break their contracts."""

from collections.abc import Mapping

from harness.bus.model import Bus, Validation, ValidationMode
from harness.manifest.harness_file import ValidationEntry
from harness.manifest.model import Account
from harness.manifest.policies import PolicyFiles
from harness.manifest.references import known
from harness.manifest.written import Written
from harness.policy.model import PolicyKind


def link_buses(written: Written, accounts: Mapping[str, Account], policies: PolicyFiles) -> Mapping[str, Bus]:
    found: dict[str, Bus] = {}
    for name, at in written.entry.buses.items():
        owner = known("account", at.value.account, accounts, written.where)
        policy = None
        if at.value.policy is not None:
            policy = policies.read(at.value.policy, PolicyKind.RESOURCE, written.folder, written.where)
        found[name] = Bus(
            written.entry.region,
            owner.id if owner else "",
            name,
            policy,
            validation=_validation(name, at.value.validation, written),
            pattern_characters=at.value.event_pattern_characters,
        )
    for name, bus in found.items():
        aside = found.get(bus.validation.quarantine)
        if aside is not None and aside.account != bus.account:
            key, line = f"buses.{name}.validation.quarantine", written.entry.buses[name].line
            text = f'{key}: the bus "{aside.name}" is another account\'s: choose one of the same'
            written.where.problem(line, text)
    return found


def _validation(name: str, entry: ValidationEntry | None, written: Written) -> Validation:
    if entry is None:
        return Validation()
    mode = ValidationMode(entry.mode)
    if mode is not ValidationMode.QUARANTINE:
        if entry.quarantine is not None:
            text = f"buses.{name}.validation.quarantine: has no meaning with the mode {mode}: take it out"
            written.where.problem(entry.quarantine.line, text)
        return Validation(mode, entry.strict)
    aside = entry.quarantine.value if entry.quarantine else f"{name}-quarantine"
    if aside == name and entry.quarantine is not None:
        text = f"buses.{name}.validation.quarantine: must be another bus than the one that it guards"
        written.where.problem(entry.quarantine.line, text)
    return Validation(mode, entry.strict, aside)
