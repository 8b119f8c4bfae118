"""What a domain on FastAPI and PostgreSQL needs to keep the wire contract; it knows that contract and nothing else.

Serving: `application`, `serve`, `problems`, `strictness`, `retirement`, `paging`, `caller`, `idempotency`.
Events: `envelope`, `outbox` (with `relay`), `inbox`, `events`. Calling others: `credentials`, `signing`, `client`.
"""
