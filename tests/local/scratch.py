"""A git repository with the sample's manifests, contracts and pacts, and two consumers that were recorded."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Anna", "-c", "user.email=anna@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def seen(count: int, last: str = "2026-01-15") -> dict[str, Any]:
    return {"count": count, "first": min("2026-01-05", last), "last": last}


RECORDED = {
    "backoffice": [
        {
            "version": "v2",
            "method": "GET",
            "path": "/orders/{orderId}",
            "seen": seen(214),
            "parameters": {"path": {"orderId": seen(214)}},
            "statuses": {"200": seen(210), "404": seen(4)},
        },
        {
            "version": "v2",
            "method": "GET",
            "path": "/orders",
            "seen": seen(30),
            "parameters": {"query": {"status": seen(12, "2025-12-01")}},
            "responseFields": {"$.items[*].id": seen(30), "$.items[*].rejectionReason": seen(3)},
            "statuses": {"200": seen(30)},
        },
    ],
    "kiosk": [
        {
            "version": "v2",
            "method": "POST",
            "path": "/orders",
            "seen": seen(50),
            "requestFields": {"$.lines": seen(50), "$.lines[*].sku": seen(50), "$.lines[*].quantity": seen(50)},
            "responseFields": {"$.id": seen(50)},
            "statuses": {"201": seen(50)},
        },
        {
            "version": "v1",
            "method": "GET",
            "path": "/orders/{orderId}",
            "seen": seen(2, "2025-08-01"),
            "statuses": {"200": seen(2, "2025-08-01")},
        },
    ],
}
SHORTAGES = """\
  - rule: orders-on-unknown-items
    bus: enterprise
    pattern:
      source: [acme.stock]
      detail-type: [StockRejected.v1]
      detail: {data: {reason: [unknown-sku]}}
"""


def make_repository(folder: Path) -> Path:
    """On branch `main`, everything committed and every contract released. Answers the harness.yaml."""
    folder.mkdir()
    for name in ("contracts", "policies"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "harness.yaml", folder)
    for domain in ("orders", "stock"):
        there = folder / "domains" / domain
        shutil.copytree(ROOT / "domains" / domain / "policies", there / "policies")
        for name in ("domain.yaml", "Dockerfile"):
            shutil.copy(ROOT / "domains" / domain / name, there)
    with (folder / "domains" / "orders" / "domain.yaml").open("a") as manifest:
        manifest.write(SHORTAGES)
    for consumer, lines in RECORDED.items():
        file = folder / "contracts" / "orders" / "consumers" / f"{consumer}.recorded.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "as it is")
    return folder / "harness.yaml"


def edit(folder: Path, change: dict[str, Any]) -> None:
    """`replace` a text (which must be there), `remove` or `set` what JSON pointers lead to."""
    file = folder / change["file"]
    for old, new in change.get("replace", []):
        text = file.read_text()
        assert old in text, f"{change['file']} has no {old!r}"
        file.write_text(text.replace(old, new))
    if "remove" in change or "set" in change:
        document = json.loads(file.read_text())
        for pointer in change.get("remove", []):
            owner, step = _owner(document, pointer)
            del owner[step]
        for pointer, value in change.get("set", {}).items():
            owner, step = _owner(document, pointer)
            owner[step] = value
        file.write_text(json.dumps(document, indent=2))


def _owner(document: Any, pointer: str) -> tuple[Any, Any]:
    *steps, last = pointer.split("/")[1:]
    for step in steps:
        document = document[int(step) if isinstance(document, list) else step]
    return document, int(last) if isinstance(document, list) else last
