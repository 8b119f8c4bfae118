"""The diff of two OpenAPI documents, from files to findings in order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from harness.contracts.contract import Contract, read_contract
from harness.contracts.diff.callbacks import webhook_findings
from harness.contracts.diff.operations import operation_findings
from harness.contracts.diff.pairing import Pairing
from harness.contracts.diff.sameness import Sameness
from harness.contracts.diff.schemas import SchemaDiffs
from harness.contracts.diff.security import scheme_findings
from harness.contracts.diff.servers import document_server_findings
from harness.contracts.diff.settings import Ignored, Settings, applied
from harness.contracts.finding import Finding, Level, Place


@dataclass(frozen=True, slots=True)
class Diff:
    """`findings` the worst first, then in the order of the old document."""

    findings: tuple[Finding, ...]
    ignored: tuple[Ignored, ...] = ()

    @property
    def breaking(self) -> bool:
        return any(finding.level is Level.BREAKING for finding in self.findings)


def diff(
    old: str,
    new: str,
    read: Callable[[str], str],
    *,
    today: date,
    settings: Settings | None = None,
    read_new: Callable[[str], str] | None = None,
) -> Diff:
    """What changed between the OpenAPI files `old` and `new`. `read` answers the text of a file by its name, and
    `read_new` that of the new side where one name means two texts. Raises `InputError` for what is no contract."""
    return diff_contracts(
        read_contract(old, read), read_contract(new, read_new or read), today=today, settings=settings
    )


def diff_contracts(old: Contract, new: Contract, *, today: date, settings: Settings | None = None) -> Diff:
    settings = settings or Settings()
    sameness = Sameness(old.library, new.library)
    pairing = Pairing(old, new, Place("api", "document"), today, sameness, settings.notice_days)
    return of_findings(_once(_all(pairing)), today=today, settings=settings)


def of_findings(findings: Sequence[Finding], *, today: date, settings: Settings) -> Diff:
    """With the levels and ignores of the settings."""
    counted, ignored = applied(settings, findings, today)
    order = {level: index for index, level in enumerate(Level)}
    return Diff(tuple(sorted(counted, key=lambda finding: order[finding.level])), tuple(ignored))


def _all(pairing: Pairing) -> Iterator[Finding]:
    diffs = SchemaDiffs()
    yield from document_server_findings(pairing.at(part="server"))
    yield from scheme_findings(pairing)
    yield from operation_findings(pairing, diffs)
    yield from webhook_findings(pairing, diffs)


def _once(findings: Iterator[Finding]) -> list[Finding]:
    """A field may be reached through two variants; it is told once."""
    kept: dict[tuple[str, Place, str], Finding] = {}
    for finding in findings:
        kept.setdefault((finding.rule, finding.place, finding.text), finding)
    return list(kept.values())
