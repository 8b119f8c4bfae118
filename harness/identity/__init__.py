"""Who calls: accounts, roles, their sessions, and the sealed tokens that carry a session without a table."""

from harness.identity.cache import RecentlyUsed
from harness.identity.ids import account_of, new_access_key_id, role_id
from harness.identity.model import Credentials, Directory, Membership, OidcProvider, Role, Session
from harness.identity.sealer import MASTER_KEY_BYTES, Sealer
from harness.identity.secret_box import SecretBox
from harness.identity.session import inherited_tags, principal_of, session_context, start_session

__all__ = [
    "MASTER_KEY_BYTES",
    "Credentials",
    "Directory",
    "Membership",
    "OidcProvider",
    "RecentlyUsed",
    "Role",
    "Sealer",
    "SecretBox",
    "Session",
    "account_of",
    "inherited_tags",
    "new_access_key_id",
    "principal_of",
    "role_id",
    "session_context",
    "start_session",
]
