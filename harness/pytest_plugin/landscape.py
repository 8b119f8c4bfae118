"""The landscape of a test run: started by the first item that needs it, stopped at the end of the run."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.local.handle import Harness
    from harness.local.lifecycle import Temporary


class Landscape:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._owned: Temporary | None = None
        self._harness: Harness | None = None
        self._failed: HarnessError | None = None

    @property
    def started(self) -> "Harness | None":
        return self._harness

    def get(self) -> "Harness":
        """Raises `HarnessError` when it cannot be had, every time the same: one start that fails is enough."""
        if self._failed is not None:
            raise self._failed
        if self._harness is None:
            try:
                self._harness = self._find()
            except HarnessError as error:
                self._failed = error
                raise
        return self._harness

    def _find(self) -> "Harness":
        from harness.local.folders import find_manifest, state_folder
        from harness.local.handle import Harness
        from harness.local.lifecycle import Temporary

        named = self._config.getoption("--harness-file")
        manifest = find_manifest(Path(named) if named else None, start=self._config.rootpath)
        running = self._config.getoption("--harness-running")
        if running:
            return Harness.attach(manifest, state_folder(manifest, Path(running)))
        self._owned = Temporary.start(manifest)
        return self._owned.harness

    def stop(self) -> None:
        self._harness = None
        if self._owned is not None:
            owned, self._owned = self._owned, None
            owned.stop()


LANDSCAPE = pytest.StashKey[Landscape]()
