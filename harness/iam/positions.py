"""Where a statement stands in its document, counted as AWS's policy simulator counts.

Lines and columns from 1, each the place after the token that was read last: a statement of a list begins behind the
`[` or behind the `}` of the statement before it, one that stands alone behind its own `{`; it ends behind its `}`.
Source: the examples of SimulateCustomPolicy and SimulatePrincipalPolicy in the IAM API Reference (the AWS managed
policy AmazonS3ReadOnlyAccess: 3:17 to 11:6) and of the AWS CLI (`{"Version":"2012-10-17","Statement":{…`: 1:38).
"""

from harness.policy.statement import Statement

_WHITE_SPACE = " \t\r\n"


def start_of(statement: Statement, text: str) -> tuple[int, int]:
    start, _ = statement.span
    before = text[:start].rstrip(_WHITE_SPACE)
    if before.endswith("["):
        return _place(text, len(before))
    if before.endswith(","):
        return _place(text, len(before[:-1].rstrip(_WHITE_SPACE)))
    return _place(text, start + 1)


def end_of(statement: Statement, text: str) -> tuple[int, int]:
    return _place(text, statement.span[1])


def _place(text: str, offset: int) -> tuple[int, int]:
    line_start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - line_start + 1
