"""What orders asks stock: how much of an SKU is available. Advice only; stock decides when it hears of the order."""

from collections.abc import Iterable

from pydantic import BaseModel, Field, ValidationError

from kit.client import ApiClient, ProviderUnavailable
from kit.problems import unavailable


class _Item(BaseModel):
    available: int = Field(ge=0)


class StockApi:
    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def available(self, skus: Iterable[str]) -> dict[str, int | None]:
        """None for an SKU that stock does not know. Raises 503 when stock gives no usable answer."""
        try:
            return {sku: self._ask(sku) for sku in skus}
        except ProviderUnavailable as error:
            raise unavailable("stock cannot be reached; no order was placed") from error

    def _ask(self, sku: str) -> int | None:
        response = self._client.get(f"/v1/items/{sku}")
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise ProviderUnavailable(f"stock answered {response.status_code}")
        try:
            return _Item.model_validate_json(response.content).available
        except ValidationError as error:
            raise ProviderUnavailable("stock's answer is not what its contract says") from error
