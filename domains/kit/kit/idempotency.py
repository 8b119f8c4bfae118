"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): one request sent twice has one effect.

The key is stored in the transaction of the effect. It belongs to the caller's role, the method and the path, and is
forgotten after 24 hours.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Header, Request
from pydantic import BaseModel, StringConstraints
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kit.caller import caller_of
from kit.problems import Finding, ProblemError

KEEP = timedelta(hours=24)
KEY_PATTERN = '^(?:"[A-Za-z0-9._:-]{1,128}"|[A-Za-z0-9._:-]{1,128})$'
"""A structured field's string, or bare, as many clients send it."""

metadata = MetaData()

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer),
    Column("location", Text),
    Column("body", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

KeyHeader = Annotated[
    Annotated[str, StringConstraints(pattern=KEY_PATTERN)] | SkipJsonSchema[None],
    Header(
        alias="Idempotency-Key",
        description="Sent again with the same body within 24 hours, the first answer is given again.",
    ),
]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    location: str | None
    body: str


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    scope: str
    key: str
    fingerprint: str

    def claim(self, session: Session) -> Answer | None:
        """The answer given before, or None when the effect is still to happen, in this transaction.

        Of two requests at once, the second waits here for the first one's end. Raises 422 for another body.
        """
        session.execute(
            delete(idempotency_keys).where(
                idempotency_keys.c.scope == self.scope, idempotency_keys.c.created_at < func.now() - KEEP
            )
        )
        added = session.execute(
            insert(idempotency_keys)
            .values(scope=self.scope, key=self.key, fingerprint=self.fingerprint)
            .on_conflict_do_nothing()
            .returning(idempotency_keys.c.key)
        )
        return None if added.first() else self.earlier(session)

    def earlier(self, session: Session) -> Answer | None:
        """As `claim`, claiming nothing."""
        kept = idempotency_keys.c
        row = session.execute(
            select(kept.fingerprint, kept.status, kept.location, kept.body).where(
                kept.scope == self.scope, kept.key == self.key, kept.created_at >= func.now() - KEEP
            )
        ).first()
        if row is None:
            return None
        if row.fingerprint != self.fingerprint:
            detail = "this Idempotency-Key was used for another body"
            finding = Finding(code="reused", detail=detail, parameter="Idempotency-Key")
            raise ProblemError(422, "idempotency-key-reused", detail, title="The key is taken", errors=[finding])
        return Answer(row.status, row.location, row.body)

    def settle(self, session: Session, answer: Answer) -> None:
        kept = idempotency_keys.c
        session.execute(
            update(idempotency_keys)
            .where(kept.scope == self.scope, kept.key == self.key)
            .values(status=answer.status, location=answer.location, body=answer.body)
        )


def idempotent(request: Request, key: str | None, body: BaseModel) -> IdempotentRequest | None:
    """None without a key."""
    if key is None:
        return None
    caller = caller_of(request)
    scope = f"{caller.principal if caller else ''} {request.method} {request.url.path}"
    fingerprint = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    return IdempotentRequest(scope, key.strip('"'), fingerprint)
