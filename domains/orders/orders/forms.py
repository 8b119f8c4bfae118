"""Forms that both versions of the API share."""

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import BeforeValidator, Field, StringConstraints

from kit.strictness import WHOLE

SKU_PATTERN = "^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
MAX_LINES = 20
MAX_QUANTITY = 100

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE | re.ASCII)


def _plain_uuid(value: Any) -> Any:
    """The one form of RFC 9562, 4; Python would take braces, a URN and no hyphens too."""
    if isinstance(value, str) and not _UUID.match(value):
        raise ValueError("not a UUID")
    return value


Sku = Annotated[str, StringConstraints(pattern=SKU_PATTERN, max_length=40)]
Quantity = Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY), WHOLE]
OrderId = Annotated[UUID, BeforeValidator(_plain_uuid), Path(description="As answered when the order was placed.")]
