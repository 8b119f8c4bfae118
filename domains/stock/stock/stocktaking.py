"""Recording how much of an item is on hand."""

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kit.problems import ProblemError
from stock.model import Item

_ENTITY_TAG = re.compile(r'(?:W/)?"[^"]*"')


@dataclass(frozen=True, slots=True)
class Recorded:
    item: Item
    created: bool


def find(session: Session, sku: str) -> Item:
    item = session.get(Item, sku)
    if item is None:
        raise ProblemError(404, "item-not-found", f'there is no item "{sku}"', title="No such item")
    return item


def etag(item: Item) -> str:
    """Strong: every change gives a new version."""
    return f'"v{item.version}"'


def record(session: Session, sku: str, on_hand: int, *, if_match: str | None) -> Recorded:
    """Creates the item or changes it. Raises 409 below what is reserved, 412 when `if_match` names another version."""
    item = session.scalars(select(Item).where(Item.sku == sku).with_for_update()).first()
    if not _holds(if_match, item):
        raise ProblemError(412, "changed-meanwhile", f'"{sku}" is not at that version', title="The item has changed")
    if item is None:
        created = session.scalars(
            insert(Item).values(sku=sku, on_hand=on_hand).on_conflict_do_nothing().returning(Item)
        ).first()
        if created is not None:
            return Recorded(created, created=True)
        # Somebody else created it in between; it can be locked now.
        item = session.scalars(select(Item).where(Item.sku == sku).with_for_update()).one()
    if on_hand < item.reserved:
        detail = f'{item.reserved} of "{sku}" are reserved; on hand cannot be {on_hand}'
        raise ProblemError(409, "below-reserved", detail, title="Orders rely on what is reserved")
    if item.on_hand != on_hand:
        item.on_hand = on_hand
        item.version += 1
    return Recorded(item, created=False)


def _holds(if_match: str | None, item: Item | None) -> bool:
    """RFC 9110, 13.1.1: `*` is any version that exists. Strong comparison: a weak tag never matches."""
    if if_match is None:
        return True
    if item is None:
        return False
    return if_match == "*" or etag(item) in _ENTITY_TAG.findall(if_match)
