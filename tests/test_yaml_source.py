"""YAML to a tree: what each scalar is, where everything stands, and what is no tree at all."""

from typing import Any

import pytest

from harness.yaml_source import MAX_DEPTH, Entry, Flaw, Scalar, Table, line_of, parse_yaml, plain

VALUES: dict[str, Any] = {
    "plain": "plain",
    "'17'": "17",
    "17": 17,
    "-17": -17,
    "+17": 17,
    "007": 7,
    "0o17": 15,
    "0x1F": 31,
    "1_000": "1_000",
    "1.5": 1.5,
    "1e3": 1000.0,
    ".5": 0.5,
    "1.": 1.0,
    "true": True,
    "False": False,
    "yes": "yes",
    "off": "off",
    "null": None,
    "~": None,
    "": None,
    "''": "",
    "2026-06-01": "2026-06-01",
    "2026-06-01T12:00:00Z": "2026-06-01T12:00:00Z",
    "12:30:45": "12:30:45",
    "!!str 17": "17",
    "! 17": "17",
    "|\n  two\n  lines\n": "two\nlines\n",
    ">\n  one\n  line\n": "one line\n",
    '{"json": [1, null, {"deep": "x"}]}': {"json": [1, None, {"deep": "x"}]},
    "[*a, *a]": [1, 1],
}


@pytest.mark.parametrize(("written", "value"), VALUES.items(), ids=[repr(written) for written in VALUES])
def test_a_value_is_what_the_core_schema_says(written: str, value: Any) -> None:
    node, flaws = parse_yaml(f"anchor: &a 1\nkey: {written}\n")
    assert not flaws
    assert node is not None
    read = plain(node)["key"]
    assert read == value
    assert type(read) is type(value)


LINES = """\
first:
second:

  - item
  - {a: 1,
     b: 2}
third: &anchor
  deep:
    deeper: x
fourth: *anchor
fifth:
# the end
"""

PLACES: dict[str, tuple[tuple[str | int, ...], int]] = {
    "a key without a value": (("first",), 1),
    "a list under its key": (("second", 0), 4),
    "an entry of a flow mapping": (("second", 1, "b"), 6),
    "a nested value": (("third", "deep", "deeper"), 9),
    "a value behind an alias stands at the alias": (("fourth", "deep", "deeper"), 10),
    "a key without a value at the end": (("fifth",), 11),
    "a path that ends early is its last step's": (("third", "nothing"), 7),
}


@pytest.mark.parametrize(("path", "line"), PLACES.values(), ids=PLACES.keys())
def test_everything_knows_its_line(path: tuple[str | int, ...], line: int) -> None:
    node, flaws = parse_yaml(LINES)
    assert not flaws
    assert node is not None
    assert line_of(node, path) == line


def test_an_empty_value_stands_at_its_key() -> None:
    node, _ = parse_yaml("a:\n\n\nb: 1\n")
    assert isinstance(node, Table)
    entry = node.entries[0]
    assert entry == Entry("a", 1, entry.value)
    assert isinstance(entry.value, Scalar)
    assert entry.value.line == 1


# Ten at each level: two lines more and it would be millions.
BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{of}'] * 10)}]\n" for of, name in ("ab", "bc", "cd", "de", "ef")
)

FLAWS: dict[str, tuple[str, Flaw]] = {
    "an alias without an anchor": ("a: *b\n", Flaw(1, 'the alias "*b" has no anchor "&b" above it')),
    "an alias that holds itself": ("a: &b\n  c: *b\n", Flaw(2, 'the alias "*b" holds itself: write the values out')),
    "aliases that multiply": (BOMB, Flaw(5, "more than 100,000 values once its aliases are followed")),
    "lists in lists without end": ("[" * 100_000, Flaw(1, f"nested more than {MAX_DEPTH} levels deep")),
    "a mapping as a key": (
        "a: 1\n? {b: 2}\n: 3\n",
        Flaw(2, "a key must be text: write the mapping without aliases, lists or mappings as keys"),
    ),
    "a tag on a mapping": (
        "a: !!set {b}\n",
        Flaw(1, 'the tag "tag:yaml.org,2002:set" means nothing here: take it out'),
    ),
    "a Python object": (
        "a: !!python/object/apply:os.system [ls]\n",
        Flaw(1, 'the tag "tag:yaml.org,2002:python/object/apply:os.system" means nothing here: take it out'),
    ),
    "a tab for indentation": (
        "a:\n\tb: 1\n",
        Flaw(2, "not YAML: while scanning for the next token, found character that cannot start any token"),
    ),
    "a quote that is not closed": (
        "a: 'b\n\n",
        Flaw(3, "not YAML: while scanning a quoted scalar (begun in line 1), found unexpected end of stream"),
    ),
    "nothing but a comment": ("# later\n", Flaw(0, "is empty")),
    "a second document": ("a: 1\n---\nb: 2\n", Flaw(2, 'a second document begins here ("---"): one a file')),
}


@pytest.mark.parametrize(("text", "flaw"), FLAWS.values(), ids=FLAWS.keys())
def test_a_flaw_is_told_at_its_line(text: str, flaw: Flaw) -> None:
    _, flaws = parse_yaml(text)
    assert flaws[0] == flaw


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan"])
def test_a_number_without_a_json_form_is_refused(text: str) -> None:
    node, _ = parse_yaml(text)
    assert node is not None
    with pytest.raises(ValueError, match="no number that JSON can say"):
        plain(node)


def test_a_mapping_that_repeats_a_key_keeps_the_first() -> None:
    node, flaws = parse_yaml("a: 1\na: 2\n")
    assert node is not None
    assert plain(node) == {"a": 1}
    assert flaws == [Flaw(2, 'the key "a" is given twice (first in line 1): keep one')]
