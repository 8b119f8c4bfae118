"""What consumers rely on, whether it is kept, and whom a change hurts."""

from harness.contracts.consumers.change import ApiChange, EventChange
from harness.contracts.consumers.hurt import Hurt
from harness.contracts.consumers.impact import hurt_by_api, hurt_by_event
from harness.contracts.consumers.pact_file import HttpExpectation, MessageExpectation, PactFile, read_pact_file
from harness.contracts.consumers.promises import unmet
from harness.contracts.consumers.provider import ApiContract, EventContractFile, Provider
from harness.contracts.consumers.subscriptions import Published, published, subscription_findings
from harness.contracts.consumers.uses import Footprint, Said, Subscription, Use, pact_uses, recorded_uses

__all__ = [
    "ApiChange",
    "ApiContract",
    "EventChange",
    "EventContractFile",
    "Footprint",
    "HttpExpectation",
    "Hurt",
    "MessageExpectation",
    "PactFile",
    "Provider",
    "Published",
    "Said",
    "Subscription",
    "Use",
    "hurt_by_api",
    "hurt_by_event",
    "pact_uses",
    "published",
    "read_pact_file",
    "recorded_uses",
    "subscription_findings",
    "unmet",
]
