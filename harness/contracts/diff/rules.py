"""Every rule of the diff of two OpenAPI documents: id, level, what a finding says, and why it has that level.

The ids are an interface: ignores and settings name them. docs/reference/diff.md shows this table.
"""

from dataclasses import dataclass
from typing import Final

from harness.contracts.diff.rules_of_schemas import SCHEMA_RULES
from harness.contracts.finding import Level

B, R, S = Level.BREAKING, Level.RISKY, Level.SAFE


@dataclass(frozen=True, slots=True)
class Rule:
    """`text` is formatted with the words of a finding; `why` is for the reference."""

    id: str
    level: Level
    text: str
    why: str


_TABLE: Final = (
    # Servers and paths
    (
        "server-removed",
        R,
        "the server {name} is gone",
        "Whoever calls that address has to change it, unless it still answers.",
    ),
    ("server-added", S, "the server {name} is new", "Nobody calls it yet."),
    ("operation-removed", B, "the operation is gone", "Every call of it fails."),
    (
        "operation-removed-before-sunset",
        B,
        "the operation is gone before its sunset on {name}",
        "Its consumers were promised that date.",
    ),
    (
        "operation-removed-after-sunset",
        S,
        "the operation is gone, after its sunset on {name}",
        "It was announced, and the date has passed.",
    ),
    ("operation-moved", B, "the operation is now {name}", "Calls of the old path or method fail."),
    ("operation-added", S, "the operation is new", "Nobody calls it yet."),
    ("operation-id-changed", R, "the operationId {was} is now {now}", "Generated clients name their methods after it."),
    (
        "path-shadowed",
        R,
        "the new path {name} takes requests that went to {was}",
        "A fixed path goes before a template that matches it too.",
    ),
    ("path-parameter-renamed", S, "the path parameter {was} is now called {now}", "The name is not on the wire."),
    # Deprecation and sunset
    ("operation-deprecated", S, "the operation is deprecated", "It still works."),
    ("operation-undeprecated", S, "the operation is no longer deprecated", "It stays."),
    (
        "sunset-missing",
        R,
        "the operation is deprecated without a date (x-sunset)",
        "Nobody can plan the move away from it.",
    ),
    ("sunset-earlier", B, "the sunset moved from {was} to {now}", "Consumers were promised the later date."),
    ("sunset-later", S, "the sunset moved from {was} to {now}", "There is more time."),
    (
        "sunset-removed",
        R,
        "the sunset on {was} is no longer announced",
        "It is unclear whether the operation stays or goes.",
    ),
    (
        "sunset-too-soon",
        B,
        "the sunset on {name} leaves {was} days, and {now} are the least",
        "The notice that `sunset-notice-days` promises is not kept.",
    ),
    (
        "sunset-unreadable",
        R,
        "x-sunset is {name}, which is no date such as 2027-06-30",
        "Nobody can tell when it ends.",
    ),
    # Parameters
    (
        "request-parameter-removed",
        B,
        "the {where} parameter {name} is gone",
        "A request that has it is refused, or answered as if it had not.",
    ),
    (
        "request-header-removed",
        R,
        "the {where} parameter {name} is gone",
        "Unknown headers and cookies are ignored: what it asked for is not done.",
    ),
    ("request-parameter-added", S, "the optional {where} parameter {name} is new", "Requests without it stay good."),
    (
        "request-required-parameter-added",
        B,
        "the {where} parameter {name} is new and required",
        "Every request so far lacks it.",
    ),
    (
        "request-parameter-became-required",
        B,
        "the {where} parameter {name} is now required",
        "Requests without it are refused.",
    ),
    (
        "request-parameter-became-optional",
        S,
        "the {where} parameter {name} is now optional",
        "Requests that have it stay good.",
    ),
    ("request-parameter-moved", B, "the parameter {name} moved from {was} to {now}", "It is looked for elsewhere."),
    (
        "request-parameter-renamed",
        B,
        "the {where} parameter {was} is now called {now}",
        "It is looked for under another name.",
    ),
    (
        "request-parameter-style-changed",
        B,
        "the {where} parameter {name} is written otherwise: {was}, now {now}",
        "The same value looks different on the wire.",
    ),
    (
        "request-parameter-content-changed",
        B,
        "the {where} parameter {name} is encoded otherwise: {was}, now {now}",
        "The same value looks different on the wire.",
    ),
    (
        "request-parameter-empty-refused",
        B,
        "the {where} parameter {name} may no longer be empty",
        "`?name=` is refused.",
    ),
    ("request-parameter-empty-accepted", S, "the {where} parameter {name} may be empty", "More is accepted."),
    (
        "request-parameter-reserved-refused",
        R,
        "reserved characters in the {where} parameter {name} must now be encoded",
        "Requests that send them as they are may be read otherwise.",
    ),
    ("request-parameter-deprecated", S, "the {where} parameter {name} is deprecated", "It still works."),
    # Bodies
    ("request-body-added", S, "an optional body is new", "Requests without one stay good."),
    ("request-required-body-added", B, "a body is new and required", "Every request so far lacks it."),
    ("request-body-removed", B, "the body is gone", "What it said is not read any more."),
    ("request-body-became-required", B, "the body is now required", "Requests without one are refused."),
    ("request-body-became-optional", S, "the body is now optional", "Requests that have one stay good."),
    ("request-media-type-removed", B, "a body of {name} is no longer accepted", "Such requests are answered 415."),
    ("request-media-type-added", S, "a body of {name} is accepted", "More is accepted."),
    (
        "request-encoding-changed",
        R,
        "the encoding of {name} changed: {was}, now {now}",
        "The same part looks different on the wire.",
    ),
    # Responses
    (
        "response-success-status-added",
        B,
        "{name} is a new answer",
        "A client that was promised other answers does not know what to do with it.",
    ),
    (
        "response-error-status-added",
        S,
        "{name} is a new answer",
        "Clients treat an unknown status as the first of its class (RFC 9110, 15).",
    ),
    (
        "response-error-class-added",
        R,
        "{name} is a new answer, the first {was}",
        "Clients have met no error of this class so far.",
    ),
    (
        "response-status-widened",
        R,
        "any {name} may now be answered, not {was} alone",
        "What comes beside it was never promised.",
    ),
    ("response-success-status-removed", B, "{name} is no longer answered", "Clients wait for it."),
    ("response-error-status-removed", S, "{name} is no longer answered", "What handles it has nothing to do."),
    ("response-body-removed", B, "the answer has no body any more", "Clients read it."),
    ("response-body-added", S, "the answer has a body", "Clients that expect none ignore it."),
    (
        "response-media-type-removed",
        B,
        "{name} is no longer answered",
        "A client that accepts it alone is answered 406.",
    ),
    ("response-media-type-added", R, "{name} may be answered too", "A client that sends no Accept header may get it."),
    ("response-media-type-narrowed", S, "{was} is now {now}", "It was always one of these."),
    ("response-required-header-removed", B, "the header {name} is gone", "It was promised with every answer."),
    (
        "response-header-removed",
        R,
        "the header {name} is gone",
        "It was never promised with every answer, but some may read it.",
    ),
    ("response-header-became-optional", B, "the header {name} may be missing", "It was promised with every answer."),
    ("response-header-became-required", S, "the header {name} is always there", "More is promised."),
    ("response-header-added", S, "the header {name} is new", "Clients ignore headers that they do not know."),
    (
        "response-header-style-changed",
        B,
        "the header {name} is written otherwise: {was}, now {now}",
        "The same value looks different on the wire.",
    ),
    ("response-link-removed", R, "the link {name} is gone", "Clients that follow it stop."),
    (
        "response-link-changed",
        R,
        "the link {name} leads elsewhere: {was}, now {now}",
        "Clients that follow it arrive elsewhere.",
    ),
    ("response-link-added", S, "the link {name} is new", "Nobody follows it yet."),
    # Security
    ("security-required", B, "credentials are now required: {now}", "Calls without any are refused."),
    ("security-alternative-removed", B, "{was} is no longer enough; accepted: {now}", "Calls with it are refused."),
    ("security-scope-added", B, "{name} now needs the scope {now}", "Tokens issued so far lack it."),
    ("security-scope-removed", S, "{name} no longer needs the scope {was}", "Tokens issued so far are enough."),
    ("security-alternative-added", S, "{now} is enough too", "More is accepted."),
    ("security-removed", S, "credentials are no longer required", "Calls with them stay good."),
    (
        "security-scheme-changed",
        B,
        "the credentials {name} are sent otherwise: {was}, now {now}",
        "What clients send is not looked at.",
    ),
    ("security-flow-changed", R, "the flow of {name} changed: {was}, now {now}", "Clients fetch their tokens there."),
    # Callbacks and webhooks
    ("callback-removed", B, "the callback {name} is gone", "Whoever waits for it is not called."),
    ("callback-added", S, "the callback {name} is new", "It is asked for before it is called."),
    (
        "callback-status-removed",
        B,
        "the answer {name} is no longer taken",
        "Whoever answers it, as before, has failed.",
    ),
    # Events: see `harness.contracts.release.compatibility`
    (
        "event-not-backward-compatible",
        B,
        "a reader of the new schema may fail on events of the old one",
        "Consumers that moved first, and whoever reads a replay.",
    ),
    (
        "event-not-forward-compatible",
        B,
        "a reader of the old schema may fail on events of the new one",
        "Consumers that have not moved yet.",
    ),
    # Settings
    ("ignore-expired", R, "the ignore of {name} ended on {was} ({now})", "What it hid is shown again."),
    ("ignore-unused", S, "the ignore of {name} hides nothing", "It can be deleted."),
)

RULES: Final[dict[str, Rule]] = {row[0]: Rule(*row) for row in (*_TABLE, *SCHEMA_RULES)}
