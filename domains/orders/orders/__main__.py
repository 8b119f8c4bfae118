"""`python -m orders`: migrate, then serve until SIGTERM."""

import logging
import os
import sys

from kit import database
from kit.environment import SettingsError
from kit.serve import log_to_stderr, serve
from orders.application import MIGRATIONS, build
from orders.settings import Settings

log = logging.getLogger("orders")


def main() -> int:
    log_to_stderr()
    try:
        settings = Settings.read(os.environ)
    except SettingsError as error:
        log.error("%s", error)
        return 2
    engine = database.create(settings.database_url, application_name="orders")
    database.wait_until_reachable(engine)
    database.migrate(engine, MIGRATIONS)
    serve(build(settings, engine), host=settings.host, port=settings.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
