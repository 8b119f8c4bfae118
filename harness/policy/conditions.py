"""One key of one operator in a statement's `Condition`, compiled: the operator, its set prefix and `IfExists`.

Source: IAM User Guide, "Condition operators" and "Set operators for multi-valued context keys".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.errors import did_you_mean
from harness.policy.globs import Test
from harness.policy.model import ConditionOutcome, ContextValue
from harness.policy.operators import NULL, OPERATORS, Operator, plain
from harness.policy.variables import Filled, Template, fill, is_filled, keys_of

_IF_EXISTS = "ifexists"
_SETS = ("ForAllValues", "ForAnyValue")

Context = Mapping[str, ContextValue]
Check = Callable[[Context], bool]

_Quantifier = Callable[[Test, ContextValue | None, bool, bool], bool]


@dataclass(frozen=True, slots=True)
class OperatorUse:
    """An operator as a policy names it: `ForAnyValue:StringLikeIfExists`."""

    operator: Operator
    written: str
    set_prefix: str = ""
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """`operator`, `key` and `wanted` as written, for people; `lookup` is the key in lower case.

    `holds` is False too when a variable in a value has no value: then the statement never matches. `variables`: the
    keys of those variables, in lower case.
    """

    operator: str
    key: str
    wanted: tuple[str, ...]
    lookup: str
    holds: Check = field(repr=False)
    variables: tuple[str, ...] = ()

    def outcome(self, context: Context) -> ConditionOutcome:
        return ConditionOutcome(self.operator, self.key, self.wanted, context.get(self.lookup), self.holds(context))


def read_operator(name: str) -> OperatorUse | str:
    """The operator with its prefix and suffix, or what is wrong with the name."""
    prefix, colon, rest = name.partition(":")
    if not colon:
        prefix, rest = "", name
    set_prefix = next((known for known in _SETS if known.lower() == prefix.lower()), "")
    if prefix and not set_prefix:
        return f'unknown set operator "{prefix}"{did_you_mean(prefix, _SETS)}'
    bare = rest.lower()
    if_exists = bare.endswith(_IF_EXISTS)
    operator = OPERATORS.get(bare.removesuffix(_IF_EXISTS))
    if operator is None:
        known = [row.name for row in OPERATORS.values()]
        return f'unknown condition operator "{name}"{did_you_mean(rest, known)}'
    if operator.name == NULL and (if_exists or set_prefix):
        return f'"{name}": Null takes neither IfExists nor a set operator; write "Null"'
    return OperatorUse(operator, name, set_prefix, if_exists)


def compile_condition(use: OperatorUse, key: str, wanted: Sequence[str], values: Sequence[Template]) -> Condition:
    """`values` are the parsed `wanted`, without fault by the operator's own check."""
    operator, lookup = use.operator, key.lower()
    quantify: _Quantifier
    if operator.name == NULL:
        quantify, when_missing = _null, False
    elif use.set_prefix == "ForAllValues":
        quantify, when_missing = _for_all, True
    elif use.set_prefix == "ForAnyValue":
        quantify, when_missing = _for_any, use.if_exists
    else:
        quantify, when_missing = _single, operator.negated or use.if_exists
    fixed = [filled for value in values if is_filled(value) and (filled := fill(value, {})) is not None]
    waiting = [value for value in values if not is_filled(value)]
    test = operator.make(fixed)
    if waiting:
        holds = _check_filling(operator, test, waiting, lookup, quantify, when_missing)
    elif quantify is _single:
        holds = _check_single(test, lookup, operator.negated, when_missing)
    else:
        holds = _check(test, lookup, quantify, operator.negated, when_missing)
    variables = tuple(name for value in waiting for name in keys_of(value))
    return Condition(use.written, key, tuple(wanted), lookup, holds, variables)


def _check(test: Test, lookup: str, quantify: _Quantifier, negated: bool, when_missing: bool) -> Check:
    return lambda context: quantify(test, context.get(lookup), negated, when_missing)


def _check_single(test: Test, lookup: str, negated: bool, when_missing: bool) -> Check:
    """`_check` with `_single` for the frequent case, one call less."""

    def check(context: Context) -> bool:
        found = context.get(lookup)
        if type(found) is str:
            return (not test(found)) is negated
        return _single(test, found, negated, when_missing)

    return check


def _check_filling(
    operator: Operator,
    fixed: Test,
    waiting: Sequence[Template],
    lookup: str,
    quantify: _Quantifier,
    when_missing: bool,
) -> Check:
    def check(context: Context) -> bool:
        filled = [operator.fill(value, context) for value in waiting]
        tests = [_make_filled(operator, value) for value in filled if value is not None]
        if len(tests) != len(waiting):
            return False

        def test(found: str) -> bool:
            return bool(fixed(found)) or any(one(found) for one in tests)

        return quantify(test, context.get(lookup), operator.negated, when_missing)

    return check


def _make_filled(operator: Operator, value: Filled) -> Test:
    if operator.make_filled is not None:
        return operator.make_filled(value)
    return operator.make([(plain(value),)])


# The quantifiers: how one test of one value becomes an answer about the key.


def _single(test: Test, found: ContextValue | None, negated: bool, when_missing: bool) -> bool:
    if not isinstance(found, str):
        # A key with several values needs a set operator; without one nothing matches, not even a negated operator.
        return when_missing if not found else False
    return bool(test(found)) is not negated


def _for_all(test: Test, found: ContextValue | None, negated: bool, when_missing: bool) -> bool:
    if not found:  # absent, empty set or empty string: all "null data set"
        return when_missing
    return all(bool(test(value)) is not negated for value in _values(found))


def _for_any(test: Test, found: ContextValue | None, negated: bool, when_missing: bool) -> bool:
    if not found:
        return when_missing
    return any(bool(test(value)) is not negated for value in _values(found))


def _null(test: Test, found: ContextValue | None, negated: bool, when_missing: bool) -> bool:
    """`"true"` wants the key absent or without value, `"false"` wants it there (with a value)."""
    return bool(test("false" if found else "true"))


def _values(found: ContextValue) -> tuple[str, ...]:
    return (found,) if isinstance(found, str) else found
