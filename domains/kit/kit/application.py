"""A domain's ASGI application: its versions, `/events`, `/healthz`, refusals as problems."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import Match

from kit import database
from kit.problems import ProblemError, from_http, from_validation, problem_response, unavailable
from kit.relay import Relay
from kit.retirement import Retirement, RetirementHeaders

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

log = logging.getLogger(__name__)


def application(
    title: str,
    *,
    engine: Engine,
    relay: Relay,
    routers: Sequence[APIRouter],
    retirements: Sequence[Retirement] = (),
    closing: Sequence[Callable[[], None]] = (),
) -> FastAPI:
    """The schema of `engine` is at its newest revision. `closing` is called when the process ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        relay.start()
        yield
        relay.stop()
        for close in closing:
            close()
        engine.dispose()

    app = FastAPI(
        title=title,
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        # Without a Content-Type API Gateway takes a body for JSON.
        strict_content_type=False,
    )

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> Response:
        healthy = relay.running and database.answers(engine)
        return Response("ok" if healthy else "not ready", 200 if healthy else 503, media_type="text/plain")

    for router in routers:
        app.include_router(router)
    for retirement in retirements:
        app.add_middleware(RetirementHeaders, retirement=retirement)
    _answer_problems(app)
    return app


def _answer_problems(app: FastAPI) -> None:
    @app.exception_handler(ProblemError)
    async def on_problem(request: Request, error: ProblemError) -> Response:
        return problem_response(request, error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        return problem_response(request, from_validation(error))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        problem = from_http(error)
        if error.status_code == 405:
            problem.headers["Allow"] = ", ".join(_allowed(app, request))
        return problem_response(request, problem)

    async def on_lost_database(request: Request, error: Exception) -> Response:
        log.error("the database failed a request: %s", type(error).__name__)
        return problem_response(request, unavailable("the database does not answer"))

    for kind in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(kind, on_lost_database)

    @app.exception_handler(Exception)
    async def on_mistake(request: Request, _: Exception) -> Response:
        # Starlette raises the exception again after this answer, so that the server logs the traceback.
        problem = ProblemError(500, "internal-error", "the request could not be completed")
        return problem_response(request, problem)


def _allowed(app: FastAPI, request: Request) -> list[str]:
    """Methods of every route of this path (RFC 9110, 15.5.6); Starlette names those of the first one only."""
    return [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in app.routes)
    ]
