"""The files that teams write, and the settings, as typed values: mistakes in them are told all at once.

`load` is the door; nothing else in the harness reads a manifest or the environment.
"""

from harness.manifest.load import load
from harness.manifest.model import (
    Account,
    ApiVersion,
    Domain,
    Landscape,
    Ports,
    PrivateApi,
    PublishedEvent,
    Subscription,
    Workbench,
    api_url_variable,
    endpoint_place,
)
from harness.manifest.settings import Settings, read_settings

__all__ = [
    "Account",
    "ApiVersion",
    "Domain",
    "Landscape",
    "Ports",
    "PrivateApi",
    "PublishedEvent",
    "Settings",
    "Subscription",
    "Workbench",
    "api_url_variable",
    "endpoint_place",
    "load",
    "read_settings",
]
