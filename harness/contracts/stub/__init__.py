"""A provider made from its contract: which answer for which request. Pure: no I/O, no clock, no chance but the seed."""

from harness.contracts.stub.provider import Provider

__all__ = ["Provider"]
