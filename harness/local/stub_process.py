"""The process of a stub: an API's contracts from the manifests, served where its domain would be."""

from harness import manifest
from harness.local.providers import provider_of
from harness.manifest.plan_file import StubSettings
from harness.stub.server import serve

HOST = "127.0.0.1"


async def run_stub(settings: StubSettings) -> None:
    """Serves until SIGTERM."""
    provider = provider_of(manifest.load(settings.landscape), settings.api, seed=settings.seed)
    await serve(provider, host=HOST, port=settings.port)
