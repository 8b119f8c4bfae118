"""The diff of contracts: what it says of the labelled pairs, beside specshift, and how long 100 operations take.

`.venv/bin/python -m bench.diff [--specshift PROGRAM] [--rounds 9]` prints tables and writes bench/results/diff.json.
specshift is another tool (PyPI), for comparison alone; keep it out of this project's environment:

    python3 -m venv /tmp/specshift && /tmp/specshift/bin/pip install specshift==1.5.0
    .venv/bin/python -m bench.diff --specshift /tmp/specshift/bin/specshift
"""

import argparse
import copy
import json
import os
import platform
import resource
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from harness.contracts.diff import Diff, diff_contracts, read_contract
from tests.contracts.diff.corpus import Pair, pairs

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "diff.json"
SAMPLE = ROOT / "contracts" / "orders" / "v2" / "openapi.yaml"
LEVELS = ("breaking", "risky", "safe")
OF_SPECSHIFT = {"breaking": "breaking", "warning": "risky", "info": "safe"}
TODAY = date(2026, 6, 1)
COPIES = 34  # of three operations each


def main() -> int:
    options = argparse.ArgumentParser(description="Benchmark of the diff of contracts.")
    options.add_argument("--specshift", help="its program, to compare with")
    options.add_argument("--rounds", type=int, default=9, help="of the timing; the least counts (default 9)")
    chosen = options.parse_args()
    corpus = [pair for pair in pairs() if not pair.settings]  # settings of ours say nothing to others
    said = {"harness": [level_of(pair.diff()) for pair in corpus]}
    if chosen.specshift:
        said["specshift"] = specshift_levels(chosen.specshift, corpus)
    tables = {tool: table(corpus, levels) for tool, levels in said.items()}
    for tool, rows in tables.items():
        show(tool, rows)
    if not chosen.specshift:
        print("specshift: not measured (--specshift PROGRAM; how to get it: the first lines of this file)\n")
    times = timed(chosen.rounds, chosen.specshift)
    for name, value in times.items():
        print(f"{name:56}{value:>9.1f} ms")
    result = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "load": round(os.getloadavg()[0], 2),
        "pairs": len(corpus),
        "levels": tables,
        "milliseconds": {name: round(value, 1) for name, value in times.items()},
        "differ": {
            tool: [
                f"{pair.name}: {pair.level}, not {level}"
                for pair, level in zip(corpus, levels, strict=True)
                if pair.level != level
            ]
            for tool, levels in said.items()
        },
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return 0


def level_of(diff: Diff) -> str:
    return str(diff.findings[0].level) if diff.findings else "safe"


def table(corpus: Sequence[Pair], levels: Sequence[str]) -> dict[str, dict[str, int]]:
    """Label -> what was said -> how often."""
    counted = Counter((pair.level, level) for pair, level in zip(corpus, levels, strict=True))
    said = [*LEVELS, *sorted({level for level in levels if level not in LEVELS})]
    return {label: {level: counted[label, level] for level in said} for label in LEVELS}


def show(tool: str, rows: dict[str, dict[str, int]]) -> None:
    said = list(rows[LEVELS[0]])
    print(f"{tool}: label, and what was said")
    print(f"  {'':10}" + "".join(f"{level:>10}" for level in said))
    for label, row in rows.items():
        print(f"  {label:10}" + "".join(f"{row[level]:>10}" for level in said))
    print()


def specshift_levels(program: str, corpus: Sequence[Pair]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda at: specshift_level(program, Path(folder) / str(at[0]), at[1]), enumerate(corpus)))


def specshift_level(program: str, folder: Path, pair: Pair) -> str:
    folder.mkdir()
    for name, value in {"old.json": pair.old, "new.json": pair.new, **pair.files}.items():
        (folder / name).write_text(json.dumps(value))
    command = [program, "diff", "old.json", "new.json", "--format", "json", "--fail-on", "none"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return "error"
    changes: list[dict[str, Any]] = json.loads(done.stdout)["changes"]
    levels = {OF_SPECSHIFT[change["severity"]] for change in changes}
    return next((level for level in LEVELS if level in levels), "safe")


def timed(rounds: int, specshift: str | None) -> dict[str, float]:
    old, new = large(broken=10)
    _, little = large(broken=1)
    texts = {"old.yaml": dumped(old), "new.yaml": dumped(new), "little.yaml": dumped(little)}
    texts |= {"old.json": json.dumps(old, indent=1), "new.json": json.dumps(new, indent=1)}
    read = texts.__getitem__

    def compared(other: str) -> float:
        contracts = read_contract("old.yaml", read), read_contract(other, read)
        return clocked(lambda: diff_contracts(*contracts, today=TODAY))

    operations = 3 * COPIES
    rows: dict[str, Callable[[], float]] = {
        f"diff of {operations} operations, 3 schemas changed": lambda: compared("little.yaml"),
        f"diff of {operations} operations, 30 schemas changed": lambda: compared("new.yaml"),
        "reading both, YAML": lambda: clocked(lambda: [read_contract(f"{side}.yaml", read) for side in ("old", "new")]),
        "reading both, JSON": lambda: clocked(lambda: [read_contract(f"{side}.json", read) for side in ("old", "new")]),
    }
    if specshift:
        pair = Pair("large", old, new, "same")
        with tempfile.TemporaryDirectory() as folder:
            took = [clocked(partial(specshift_level, specshift, Path(folder) / str(at), pair)) for at in range(3)]
        rows["specshift, start to end"] = lambda: min(took)
    return {name: min(row() for _ in range(rounds)) for name, row in rows.items()}


def clocked(work: Callable[[], object]) -> float:
    """Milliseconds of processor time, of this process and of those that it waited for."""
    start = _processor_time()
    work()
    return 1000 * (_processor_time() - start)


def _processor_time() -> float:
    waited_for = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + waited_for.ru_utime + waited_for.ru_stime


def large(broken: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The sample contract many times over, each copy with schemas of its own; the new one breaks some copies."""
    sample = yaml.safe_load(SAMPLE.read_text())
    old = copy.deepcopy(sample)
    old["paths"], old["components"]["schemas"] = {}, {}
    for number in range(COPIES):
        words = json.dumps({"paths": sample["paths"], "schemas": sample["components"]["schemas"]})
        made = json.loads(words.replace("#/components/schemas/", f"#/components/schemas/C{number}"))
        old["paths"] |= {f"/c{number}{path}": item for path, item in made["paths"].items()}
        old["components"]["schemas"] |= {f"C{number}{name}": schema for name, schema in made["schemas"].items()}
    old["components"]["schemas"] |= sample["components"]["schemas"]
    for item in old["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("operationId", None)
    new = copy.deepcopy(old)
    for number in range(broken):
        order = new["components"]["schemas"][f"C{number}Order"]
        order["properties"]["status"] = {"type": "string"}
        order["required"].remove("placedAt")
        new["components"]["schemas"][f"C{number}NewLine"]["properties"]["sku"]["maxLength"] = 20
    return old, new


def dumped(document: Any) -> str:
    text: str = yaml.dump(document, Dumper=_Plain, sort_keys=False)
    return text


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


if __name__ == "__main__":
    raise SystemExit(main())
