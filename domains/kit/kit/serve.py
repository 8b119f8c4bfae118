"""Runs a domain until SIGTERM: HTTP on its port, ended within ten seconds."""

import logging
import os
import signal

import uvicorn
from fastapi import FastAPI

GRACE_SECONDS = 4
KEEP_ALIVE_SECONDS = 75
"""Longer than a gateway keeps an idle connection, so that the side that sends is the one that closes."""

log = logging.getLogger(__name__)


def log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in ("botocore", "httpx2", "httpcore2", "alembic.runtime.plugins"):
        logging.getLogger(name).setLevel(logging.WARNING)


def serve(app: FastAPI, *, host: str, port: int) -> None:
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def end_process() -> None:
    """For a part that the process cannot do without: whoever supervises starts it again."""
    os.kill(os.getpid(), signal.SIGTERM)
