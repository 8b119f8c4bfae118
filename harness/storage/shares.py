"""How much of the state each account has, so that no account can use up the room of another one.

The account is the third part of a key. What is counted is what the store keeps of an entry: value, key and headers.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from harness.storage.held import ShareUsed
from harness.storage.state import Entry, Key

# Of a message on JetStream, with its id and the names of its headers.
ENTRY_BYTES = 200
# What deleted entries leave for a day, and what several processes put at the same moment, needs room besides.
SHARED_OUT = 0.75
# A change of what is there (a rule that is disabled, a tag that goes) is taken a little longer than something new.
CHANGES_LONGER = 1 / 16


@dataclass(frozen=True, slots=True)
class Share:
    """`bound` 0: none."""

    documents: int
    bytes: int
    bound: int


class Shares:
    """`bound`: bytes of each account; 0, as at first: what is put is counted and never refused."""

    def __init__(self) -> None:
        self.bound = 0
        self._documents: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def check(self, known: Entry | None, key: Key, value: bytes) -> None:
        """Raises ShareUsed where the account would have more than its share. What makes nothing longer is taken."""
        account = _account(key)
        growth = _size(key, value) - (0 if known is None else _size(key, known.value))
        if not self.bound or not account or growth <= 0:
            return
        most = self.bound if known is None else self.bound * (1 + CHANGES_LONGER)
        if self._bytes[account] + growth > most:
            raise ShareUsed(f"the account {account} has used its share of the state, {self.bound:,} bytes")

    def changed(self, before: Entry | None, after: Entry | None) -> None:
        for entry, sign in ((before, -1), (after, 1)):
            if entry is not None and (account := _account(entry.key)):
                self._documents[account] += sign
                self._bytes[account] += sign * _size(entry.key, entry.value)

    def used(self) -> Mapping[str, Share]:
        """By account, of those that have something."""
        return {
            account: Share(count, self._bytes[account], self.bound)
            for account, count in sorted(self._documents.items())
            if count
        }


def share_of(most_bytes: int, accounts: int) -> int:
    """Of each of so many accounts, in bytes."""
    return int(most_bytes * SHARED_OUT) // max(1, accounts)


def _account(key: Key) -> str:
    return key[2] if len(key) > 3 else ""


def _size(key: Key, value: bytes) -> int:
    # Once as the subject and once as a header.
    return len(value) + 2 * sum(len(part.encode()) + 1 for part in key) + ENTRY_BYTES
