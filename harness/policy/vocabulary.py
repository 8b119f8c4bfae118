"""The words a policy may use, so that a misspelt one is refused when it is written and not met as a silent deny.

Sources: IAM User Guide ("JSON element reference", "AWS global condition context keys", "IAM and AWS STS condition
context keys", "IAM and STS quotas") and the Service Authorization Reference for execute-api, sts, sqs, sns and events.
Names of services that are not played here are accepted as they are.
"""

from collections.abc import Mapping, Sequence

from harness.errors import did_you_mean
from harness.policy.model import PolicyKind

VERSIONS = ("2012-10-17", "2008-10-17")
"""The present one, and the one that a policy without `Version` has."""

DOCUMENT_ELEMENTS = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
EFFECTS = ("Allow", "Deny")

SIZE_LIMITS: Mapping[PolicyKind, int] = {
    # IAM counts no white space; the others count every character.
    PolicyKind.IDENTITY: 10_240,  # all inline policies of a role; a managed policy may have 6,144
    PolicyKind.TRUST: 4096,  # after a quota increase; 2,048 without
    PolicyKind.BOUNDARY: 6144,
    PolicyKind.SESSION: 2048,
    PolicyKind.SCP: 10_240,
    PolicyKind.RESOURCE: 10_240,  # an event bus
    PolicyKind.ENDPOINT: 20_480,
}
API_POLICY_LIMIT = 8192
COUNTED_WITHOUT_WHITE_SPACE = frozenset({PolicyKind.IDENTITY, PolicyKind.TRUST, PolicyKind.BOUNDARY})

ATTACHED_TO_RESOURCE = frozenset({PolicyKind.RESOURCE, PolicyKind.TRUST, PolicyKind.ENDPOINT})
"""The kinds that say whom they are about; in all others the principal is whoever they are attached to."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ACTIONS: Mapping[str, tuple[str, ...]] = {
    "execute-api": ("Invoke", "InvalidateCache", "ManageConnections"),
    "sts": _words(
        """AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot DecodeAuthorizationMessage
        GetAccessKeyInfo GetCallerIdentity GetDelegatedAccessToken GetFederationToken GetServiceBearerToken
        GetSessionToken GetWebIdentityToken SetContext SetSourceIdentity TagGetWebIdentityToken
        TagSession"""
    ),
    # The batch names are none of the reference, but policies that work on AWS have them.
    "sqs": _words(
        """AddPermission CancelMessageMoveTask ChangeMessageVisibility ChangeMessageVisibilityBatch CreateQueue
        DeleteMessage DeleteMessageBatch DeleteQueue GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues
        ListMessageMoveTasks ListQueueTags ListQueues PurgeQueue ReceiveMessage RemovePermission SendMessage
        SendMessageBatch SetQueueAttributes StartMessageMoveTask TagQueue UntagQueue"""
    ),
    "sns": _words(
        """AddPermission CheckIfPhoneNumberIsOptedOut ConfirmSubscription CreatePlatformApplication
        CreatePlatformEndpoint CreateSMSSandboxPhoneNumber CreateTopic DeleteEndpoint DeletePlatformApplication
        DeleteSMSSandboxPhoneNumber DeleteTopic GetDataProtectionPolicy GetEndpointAttributes
        GetPlatformApplicationAttributes GetSMSAttributes GetSMSSandboxAccountStatus GetSubscriptionAttributes
        GetTopicAttributes ListEndpointsByPlatformApplication ListOriginationNumbers ListPhoneNumbersOptedOut
        ListPlatformApplications ListSMSSandboxPhoneNumbers ListSubscriptions ListSubscriptionsByTopic
        ListTagsForResource ListTopics OptInPhoneNumber Publish PutDataProtectionPolicy RemovePermission
        SetEndpointAttributes SetPlatformApplicationAttributes SetSMSAttributes SetSubscriptionAttributes
        SetTopicAttributes Subscribe TagResource Unsubscribe UntagResource VerifySMSSandboxPhoneNumber"""
    ),
    "events": _words(
        """ActivateEventSource CancelReplay CreateApiDestination CreateArchive CreateConnection CreateEndpoint
        CreateEventBus CreatePartnerEventSource DeactivateEventSource DeauthorizeConnection DeleteApiDestination
        DeleteArchive DeleteConnection DeleteEndpoint DeleteEventBus DeletePartnerEventSource DeleteRule
        DescribeApiDestination DescribeArchive DescribeConnection DescribeEndpoint DescribeEventBus
        DescribeEventSource DescribePartnerEventSource DescribeReplay DescribeRule DisableRule EnableRule
        InvokeApiDestination ListApiDestinations ListArchives ListConnections ListEndpoints ListEventBuses
        ListEventSources ListPartnerEventSourceAccounts ListPartnerEventSources ListReplays ListRuleNamesByTarget
        ListRules ListTagsForResource ListTargetsByRule PutEvents PutPartnerEvents PutPermission PutRule PutTargets
        RemovePermission RemoveTargets RetrieveConnectionCredentials StartReplay TagResource TestEventPattern
        UntagResource UpdateApiDestination UpdateArchive UpdateConnection UpdateEndpoint UpdateEventBus"""
    ),
}

CONDITION_KEYS = _words(
    """aws:AssumedRoot aws:CalledVia aws:CalledViaAWSMCP aws:CalledViaFirst aws:CalledViaLast aws:ChatbotSourceArn
    aws:CurrentTime aws:Ec2InstanceSourcePrivateIPv4 aws:Ec2InstanceSourceVpc aws:EpochTime aws:FederatedProvider
    aws:IsMcpServiceAction aws:MultiFactorAuthAge aws:MultiFactorAuthPresent aws:PrincipalAccount aws:PrincipalArn
    aws:PrincipalIsAWSService aws:PrincipalOrgID aws:PrincipalOrgPaths aws:PrincipalServiceName
    aws:PrincipalServiceNamesList aws:PrincipalType aws:Referer aws:RequestedRegion aws:ResourceAccount
    aws:ResourceOrgID aws:ResourceOrgPaths aws:SecureTransport aws:SignInSessionArn aws:SourceAccount aws:SourceArn
    aws:SourceIdentity aws:SourceIp aws:SourceOrgID aws:SourceOrgPaths aws:SourceOwner aws:SourceVpc aws:SourceVpcArn
    aws:SourceVpce
    aws:TagKeys aws:TokenIssueTime aws:UserAgent aws:ViaAWSMCPService aws:ViaAWSService aws:VpceAccount
    aws:VpceOrgID aws:VpceOrgPaths aws:VpcSourceIp aws:userid aws:username
    sts:AWSServiceName sts:DurationSeconds sts:ExternalId sts:IdentityTokenAudience sts:RequestContextProviders
    sts:RoleSessionName sts:SigningAlgorithm sts:SourceIdentity sts:TaskPolicyArn sts:TransitiveTagKeys
    events:creatorAccount events:detail-type events:detail.eventTypeCode events:detail.service
    events:detail.userIdentity.principalId events:eventBusInvocation events:ManagedBy events:source events:TargetArn
    execute-api:viaDomainArn"""
)
KEY_FAMILIES = ("aws:PrincipalTag/", "aws:RequestTag/", "aws:ResourceTag/", "sts:RequestContext/")
"""Keys that end in a name of the user's choosing."""

_SPELLED = {key.lower(): key for key in CONDITION_KEYS}
_FAMILIES = tuple(family.lower() for family in KEY_FAMILIES)
_PREFIXES = ("aws", "sts", "events", "execute-api")
# Keys of other services that share the second half of a global key.
_NOT_MISSPELT = frozenset({"s3:resourceaccount"})


def condition_key_fault(key: str) -> str | None:
    """What is wrong with a condition key. Keys of services and identity providers not listed here pass."""
    lower = key.lower()
    family = next((name for name in _FAMILIES if lower.startswith(name)), None)
    if family is not None:
        return None if len(lower) > len(family) else f'"{key}" needs the name of a tag after the slash'
    if lower in _SPELLED or lower in _NOT_MISSPELT:
        return None
    prefix, colon, name = lower.partition(":")
    known = (*CONDITION_KEYS, *(f"{family}NAME" for family in KEY_FAMILIES))
    if not colon:
        whole = next((spelled for spelled in CONDITION_KEYS if spelled.lower().endswith(f":{lower}")), "")
        mend = f' (did you mean "{whole}"?)' if whole else ", such as aws:SourceVpce"
        return f'"{key}" is no condition key: it needs a service prefix{mend}'
    misspelt = any(f"{right}:{name}" in _SPELLED and _near(prefix, right) for right in _PREFIXES)
    if prefix in _PREFIXES or misspelt:
        return f'unknown condition key "{key}"{meant(key, known)}'
    return None


def action_fault(pattern: str) -> str | None:
    """What is wrong with an Action: its form, or a name that no action of a listed service has."""
    if pattern == "*":
        return None
    service, colon, name = pattern.partition(":")
    if not colon or not name or not service or set(service) & set("*?$"):
        return f'"{pattern}" is no action; write service:Action, with `*` only after the colon, or "*" alone'
    known = ACTIONS.get(service.lower())
    if known is None or set(name) & set("*?") or name.lower() in {action.lower() for action in known}:
        return None
    return f'unknown action "{pattern}"{meant(name, known)}'


def meant(word: str, known: Sequence[str]) -> str:
    """`did_you_mean` without regard to case, answered in the right case."""
    spelled = {name.lower(): name for name in known}
    guess = did_you_mean(word.lower(), list(spelled))
    return next((guess.replace(low, name) for low, name in spelled.items() if f'"{low}"' in guess), guess)


def _near(word: str, known: str) -> bool:
    return bool(did_you_mean(word, [known]))
