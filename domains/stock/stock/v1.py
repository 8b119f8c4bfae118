"""Version 1: items and how many of them there are."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import select

from kit.database import Sessions
from kit.openapi import problems
from kit.paging import DEFAULT_LIMIT, Cursor, Limit, Page, position_of, split_page
from kit.strictness import WHOLE, Input, strict_request
from stock import stocktaking
from stock.model import MAX_ON_HAND, Item

SKU_PATTERN = "^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
ETAG = {"ETag": {"required": True, "schema": {"type": "string"}}}
LOCATION = {"Location": {"required": True, "schema": {"type": "string"}}}

Sku = Annotated[str, Path(pattern=SKU_PATTERN, max_length=40, description="Stock keeping unit.")]
IfMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(alias="If-Match", description="Change this version of the item alone."),
]


class ItemV1(BaseModel):
    """`available` is `onHand` less `reserved`."""

    sku: str
    onHand: int = Field(ge=0)
    reserved: int = Field(ge=0)
    available: int = Field(ge=0)

    @classmethod
    def of(cls, item: Item) -> "ItemV1":
        return cls(sku=item.sku, onHand=item.on_hand, reserved=item.reserved, available=item.available)


class ItemPageV1(BaseModel):
    items: list[ItemV1]
    page: Page


class StockLevel(Input):
    onHand: Annotated[int, Field(strict=True, ge=0, le=MAX_ON_HAND), WHOLE]


def router(sessions: Sessions) -> APIRouter:
    routes = APIRouter(prefix="/v1", dependencies=[Depends(strict_request)])

    @routes.get("/items", operation_id="listItems", responses=problems(400, 503))
    def list_items(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> ItemPageV1:
        wanted = select(Item).order_by(Item.position).limit(limit + 1)
        if cursor is not None:
            wanted = wanted.where(Item.position > position_of(cursor))
        with sessions.begin() as session:
            shown, page = split_page(session.scalars(wanted).all(), limit)
            return ItemPageV1(items=[ItemV1.of(item) for item in shown], page=page)

    @routes.get("/items/{sku}", operation_id="getItem", responses={200: {"headers": ETAG}, **problems(400, 404, 503)})
    def get_item(sku: Sku, response: Response) -> ItemV1:
        with sessions.begin() as session:
            item = stocktaking.find(session, sku)
            response.headers["ETag"] = stocktaking.etag(item)
            return ItemV1.of(item)

    @routes.put(
        "/items/{sku}",
        operation_id="setStockLevel",
        responses={
            200: {"headers": ETAG},
            201: {"model": ItemV1, "description": "The item is new.", "headers": ETAG | LOCATION},
            **problems(400, 409, 412, 415, 503),
        },
    )
    def set_stock_level(sku: Sku, level: StockLevel, response: Response, if_match: IfMatch = None) -> ItemV1:
        with sessions.begin() as session:
            recorded = stocktaking.record(session, sku, level.onHand, if_match=if_match)
            response.headers["ETag"] = stocktaking.etag(recorded.item)
            if recorded.created:
                response.status_code = 201
                response.headers["Location"] = f"/v1/items/{sku}"
            return ItemV1.of(recorded.item)

    return routes
