"""A verdict for people and programs: text, Markdown for a pull request, JSON."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from harness.contracts.consumers import Hurt
from harness.contracts.finding import Level, Source
from harness.contracts.release.verdict import Judged, Verdict

_MARKS = {Level.BREAKING: "✗", Level.RISKY: "!", Level.SAFE: "·"}


def whom(judged: Judged) -> str:
    """`breaks storefront (pact "an order by id", field $.total); may break backoffice (…); hurts nobody else`."""
    if not judged.crossed:
        return ""
    if not judged.hurt:
        return "hurts nobody"
    certain = {hurt.consumer for hurt in judged.hurt if hurt.certain}
    parts = []
    for verb, consumers in (
        ("breaks", sorted(certain)),
        ("may break", sorted({hurt.consumer for hurt in judged.hurt} - certain)),
    ):
        if consumers:
            named = [f"{name} ({_uses(judged.hurt, name)})" for name in consumers]
            parts.append(f"{verb} {_listed(named)}")
    return "; ".join([*parts, "hurts nobody else"])


def _uses(hurt: Sequence[Hurt], consumer: str) -> str:
    own = [each for each in hurt if each.consumer == consumer]
    # What is certain is enough; guesses beside it would only be longer.
    own = [each for each in own if each.certain] or own
    shown = [_use(each) for each in own[:_MOST]]
    more = len(own) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


_MOST = 5


def _use(hurt: Hurt) -> str:
    if hurt.said.text == "recorded":
        return f"recorded {hurt.how}"
    return f"{hurt.said.text}, {hurt.how}" if hurt.how else hurt.said.text


def _listed(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def summary(verdict: Verdict) -> str:
    may = "may ship" if verdict.may_ship else "may not ship"
    refusing = [judged for judged in verdict.judged if judged.refuses]
    certain = {each.consumer for judged in refusing for each in judged.hurt if each.certain}
    perhaps = {each.consumer for judged in refusing for each in judged.hurt} - certain
    text = f"{verdict.domain} {may}, compared with {verdict.against}"
    parts = [f"hurts {_listed(sorted(certain))}"] if certain else []
    parts += [f"may hurt {_listed(sorted(perhaps))}"] if perhaps else []
    if parts:
        return f"{text}: it {' and '.join(parts)}"
    if refusing:
        return f"{text}: {len(refusing)} {'finding refuses' if len(refusing) == 1 else 'findings refuse'} it"
    return text


def as_text(verdict: Verdict) -> str:
    lines = [summary(verdict)]
    shown = list(_shown(verdict))
    for group in _grouped(shown):
        lines += ["", judged_text(*group)]
    quiet = len(verdict.judged) - len(shown)
    if quiet:
        lines += ["", f"and {quiet} safe {'change' if quiet == 1 else 'changes'}"]
    asked = ", ".join(verdict.consumers) or "nobody"
    lines += ["", f"consumers asked: {asked}"]
    return "\n".join(lines)


def judged_text(judged: Judged, *others: Judged) -> str:
    """One finding: its line, and below it the place, whom it hurts, an example, what to do. `others` say the same."""
    level = judged.finding.level
    lines = [f"{_MARKS[level]} {level.value:<8} {_headline(judged)}"]
    if others:
        lines.append(f"and at {_listed([other.finding.place.label for other in others])}")
    return "\n  ".join([*lines, *_details(_together(judged, *others))])


def _together(judged: Judged, *others: Judged) -> Judged:
    return replace(judged, hurt=tuple(dict.fromkeys(hurt for one in (judged, *others) for hurt in one.hurt)))


def _grouped(shown: Sequence[Judged]) -> list[list[Judged]]:
    """One line of a contract that is used in many operations is one change."""
    groups: dict[object, list[Judged]] = defaultdict(list)
    for judged in shown:
        finding = judged.finding
        # Findings of one line, unless it is the line of nothing in particular.
        at = (finding.old, finding.new) if judged.crossed and (finding.old or finding.new) else id(judged)
        groups[(judged.contract, finding.rule, finding.level, judged.refuses, at)].append(judged)
    return list(groups.values())


def _shown(verdict: Verdict) -> Iterator[Judged]:
    """Safe changes are counted; one that is about a release is told."""
    return (each for each in verdict.judged if each.finding.level is not Level.SAFE or each.contract == "releases")


def _headline(judged: Judged) -> str:
    finding = judged.finding
    if judged.contract in ("expectations", "releases"):
        return f"{finding.text}  [{finding.rule}]"
    place = finding.place.label
    where = "" if place == finding.place.part else f"{place}: "
    contract = "" if finding.place.kind == "event" else f"{judged.contract}: "
    return f"{contract}{where}{finding.text}  [{finding.rule}]"


def _details(judged: Judged) -> Iterator[str]:
    finding = judged.finding
    source = finding.new or finding.old
    if source is not None:
        yield f"at {source}"
    if judged.crossed:
        yield whom(judged)
    if finding.example is not None:
        when = "before and not now" if finding.example.accepted_by == "old" else "now and not before"
        yield f"such as {finding.example}: allowed {when}"
    if finding.reason:
        yield finding.reason
    if judged.mend:
        yield f"to ship: {judged.mend}"


def as_markdown(verdict: Verdict) -> str:
    lines = [f"### {'✅' if verdict.may_ship else '❌'} {_escaped(summary(verdict))}", ""]
    rows = list(_shown(verdict))
    if rows:
        lines += ["| | change | whom it hurts |", "|---|---|---|"]
        lines += [_row(*group) for group in _grouped(rows)]
    else:
        lines.append("No change that anybody could notice.")
    quiet = len(verdict.judged) - len(rows)
    if quiet:
        lines += ["", f"{quiet} safe {'change' if quiet == 1 else 'changes'} beside."]
    lines += [
        "",
        f"Consumers asked: {', '.join(f'`{name}`' for name in verdict.consumers) or 'none are known'}.",
    ]
    return "\n".join(lines) + "\n"


def _row(judged: Judged, *others: Judged) -> str:
    judged = _together(judged, *others)
    finding = judged.finding
    source = finding.new or finding.old
    change = _escaped(_headline(judged).rpartition("  [")[0])
    if others:
        change += f" (and at {_escaped(_listed([other.finding.place.label for other in others]))})"
    at = f"<br>`{source}`" if isinstance(source, Source) else ""
    level = f"**{finding.level.value}**" if judged.refuses else finding.level.value
    hurt = _escaped(whom(judged)) or "–"
    mend = f"<br>To ship: {_escaped(judged.mend)}" if judged.mend else ""
    return f"| {level} | {change} `{finding.rule}`{at} | {hurt}{mend} |"


def _escaped(text: str) -> str:
    """For a cell of a table: nothing in it may end the cell, begin HTML or mention somebody."""
    table = {char: f"\\{char}" for char in "|*_[]"}
    table |= {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "#": "&#35;", "`": "'", "\n": " ", "\r": " "}
    return "".join(table.get(char, char) for char in text)


def as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "domain": verdict.domain,
        "against": verdict.against,
        "mayShip": verdict.may_ship,
        "consumers": list(verdict.consumers),
        "findings": [_finding_json(judged) for judged in verdict.judged],
    }


def _finding_json(judged: Judged) -> dict[str, Any]:
    finding = judged.finding
    place = finding.place
    said: dict[str, Any] = {
        "contract": judged.contract,
        "rule": finding.rule,
        "level": finding.level.value,
        "refuses": judged.refuses,
        "text": finding.text,
        "place": place.label,
        "field": list(place.field),
    }
    for name, source in (("old", finding.old), ("new", finding.new)):
        if source is not None:
            said[name] = {"file": source.file, "line": source.line}
    if finding.example is not None:
        said["example"] = {"value": finding.example.value, "acceptedBy": finding.example.accepted_by}
    if finding.reason:
        said["reason"] = finding.reason
    if judged.crossed:
        said["hurt"] = _hurt_json(judged)
    if judged.mend:
        said["mend"] = judged.mend
    return said


def _hurt_json(judged: Judged) -> list[dict[str, Any]]:
    by_consumer: dict[str, list[Hurt]] = defaultdict(list)
    for hurt in judged.hurt:
        by_consumer[hurt.consumer].append(hurt)
    return [
        {
            "consumer": consumer,
            "certain": any(hurt.certain for hurt in own),
            "uses": [
                {"by": hurt.said.text, "how": hurt.how, "certain": hurt.certain, "at": str(hurt.said.source)}
                for hurt in own
            ],
        }
        for consumer, own in sorted(by_consumer.items())
    ]
