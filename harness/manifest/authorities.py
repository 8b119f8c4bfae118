"""The certificate authorities that a landscape trusts besides the system's own."""

import ssl
from pathlib import Path

from harness.manifest.files import MAX_MANIFEST_BYTES, UnreadableError, read_text
from harness.manifest.written import Written


def link_authorities(written: Written) -> Path | None:
    """None when there is no such file, or after its mistake has been put down."""
    named = written.entry.ca_file
    if named is None:
        return None
    path = written.folder / named.value
    shown = written.root.shown(path)
    try:
        content = read_text(path, limit=MAX_MANIFEST_BYTES)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content)
    except UnreadableError as error:
        written.where.unreadable(named, shown, error)
        return None
    except (ssl.SSLError, ValueError):
        written.where.problem(named.line, f"ca-file: {shown} has no certificates in PEM (BEGIN CERTIFICATE)")
        return None
    return path
