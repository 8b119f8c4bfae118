"""One value of `Resource` or `NotResource`: a whole ARN pattern, or what is wrong with it."""

from harness.policy.globs import ARN_PARTS, arn_parts
from harness.policy.model import PolicyKind
from harness.policy.variables import Template, TemplateError, Variable, Wild, joined, parse_template

_SHORT_FORM = "execute-api:/"
_COMPLETED = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SCP})
"""Where AWS completes an ARN of fewer than six parts with `*` (IAM User Guide, "Amazon Resource Names"); in a session
policy it answers MalformedPolicyDocument."""
_SERVICE = 2


def read_resource(text: str, kind: PolicyKind, api_arn: str, *, variables: bool) -> Template | str:
    """The pattern, or the fault as text."""
    if text.startswith(_SHORT_FORM):
        if not api_arn:
            return (
                f'"{text}": the short form is for the resource policy of an API; '
                "write arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH"
            )
        text = f"{api_arn}/{text.removeprefix(_SHORT_FORM)}"
    try:
        template = parse_template(text, variables=variables, wildcards=True)
    except TemplateError as error:
        return str(error)
    if template == (Wild.ANY,):
        return template
    parts = arn_parts(template)
    if parts[0] != ("arn",) or len(parts) == 1:
        return f'"{text}" is no resource; write "*" or an ARN: arn:partition:service:region:account:resource'
    if len(parts) < ARN_PARTS:
        if kind not in _COMPLETED:
            return f'"{text}" has {len(parts)} of the six parts of an ARN; write them all, `*` for any'
        parts += [(Wild.ANY,)] * (ARN_PARTS - len(parts))
    if any(isinstance(token, Variable) for part in parts[:-1] for token in part):
        return f'"{text}": a policy variable may stand only after the fifth colon of an ARN'
    if any(isinstance(token, Wild) for token in parts[_SERVICE]):
        return f'"{text}": the service of an ARN takes no wildcard; name it, or write "*" alone'
    return _arn(parts)


def _arn(parts: list[Template]) -> Template:
    tokens: Template = parts[0]
    for part in parts[1:]:
        tokens = (*tokens, ":", *part)
    return joined(tokens)
