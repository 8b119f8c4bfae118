"""JSON as bytes, however deep: orjson stops at 254 levels, and an event's detail may have 1,000."""

from collections.abc import Iterator
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return "".join(_pieces(value)).encode()


def _pieces(value: Any) -> Iterator[str]:
    """Without recursion: what is still to be written waits on a stack, containers as iterators over their members."""
    waiting: list[Iterator[Any]] = [iter((value,))]
    closing = [""]
    first = [True]
    while waiting:
        item = next(waiting[-1], _END)
        if item is _END:
            waiting.pop()
            first.pop()
            yield closing.pop()
            continue
        if not first[-1]:
            yield ","
        first[-1] = False
        if closing[-1] == "}":
            name, item = item
            yield f"{orjson.dumps(name).decode()}:"
        if isinstance(item, dict | list):
            yield "{" if isinstance(item, dict) else "["
            closing.append("}" if isinstance(item, dict) else "]")
            waiting.append(iter(item.items() if isinstance(item, dict) else item))
            first.append(True)
        else:
            yield orjson.dumps(item).decode()


_END: Any = object()
