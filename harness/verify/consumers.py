"""Consumers' expectations, verified against a running provider with pact-python, one interaction at a time."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pact import Verifier

from harness.contracts import Interaction, Pact
from harness.verify.signing_proxy import STATE_PATH, SigningProxy

# More than the proxy waits for the provider, so that it is the one to say that no answer came.
REQUEST_SECONDS = 40


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """`problems` is empty when the provider meets the expectation; each is one readable line or more."""

    interaction: Interaction
    problems: tuple[str, ...]


def verify_interaction(pact: Pact, file: Path, interaction: Interaction, *, proxy: SigningProxy) -> ExpectationResult:
    """Replays one interaction of the pact through `proxy`, which signs as the consumer."""
    # The verifier's core would report each verification to its makers' statistics; nothing here calls home.
    os.environ["PACT_DO_NOT_TRACK"] = "true"
    verifier = (
        Verifier(pact.provider, host="127.0.0.1")
        .add_transport(protocol="http", port=proxy.port, scheme="http")
        .add_source(str(file))
        .filter(description=f"^{re.escape(interaction.description)}$")
        .state_handler(proxy.url + STATE_PATH, body=True)
        .set_coloured_output(enabled=False)
        .set_request_timeout(REQUEST_SECONDS * 1000)
        .set_error_on_empty_pact(enabled=True)
    )
    try:
        verifier.verify()
    except RuntimeError:
        found = (*proxy.state_problems, *_problems(verifier.results))
        return ExpectationResult(interaction, found or (verifier.output(strip_ansi=True),))
    return ExpectationResult(interaction, ())


def _problems(results: dict[str, Any]) -> list[str]:
    """Of the verifier's JSON: `errors[].mismatch` is an error text or a list with paths and explanations."""
    found = []
    for error in results.get("errors", []):
        mismatch = error.get("mismatch", {})
        if mismatch.get("type") == "error":
            found.append(str(mismatch.get("message", "the request failed")))
        for difference in mismatch.get("mismatches", []):
            place = difference.get("path") or difference.get("key") or difference.get("type", "")
            found.append(f"{place}: {difference.get('mismatch') or difference}")
        if not mismatch:
            found.append(str(error))
    return found
