"""The members that several operations have in common.

Source: botocore's model of events 2015-10-07. `shown` is a pattern as AWS prints it; where that could take exponential
time in Python, `pattern` accepts the same texts in linear time.
"""

from typing import Final

from harness.bus.operations.shapes import Choice, Many, Structure, Whole
from harness.query_protocol.constraints import Text

NAME_PATTERN: Final = r"[\.\-_A-Za-z0-9]+"
ARN_PATTERN: Final = r"^arn:aws([a-z]|\-)*:events:([a-z]|\d|\-)*:([0-9]{12})?:.+\/.+$"

NAME: Final = Text(1, 64, NAME_PATTERN)
ARCHIVE_NAME: Final = Text(1, 48, NAME_PATTERN)
BUS_NAME: Final = Text(1, 256, r"[/\.\-_A-Za-z0-9]+")
OWN_BUS_NAME: Final = Text(1, 256, NAME_PATTERN)
BUS_NAME_OR_ARN: Final = Text(
    1,
    1600,
    r"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/\.\-_A-Za-z0-9]+",
)
ARN: Final = Text(1, 1600)
EVENTS_ARN: Final = Text(1, 1600, ARN_PATTERN, ARN_PATTERN.replace("([a-z]|\\-)*", "[a-z\\-]*"))
CONNECTION_ARN: Final = Text(
    1,
    1600,
    r"^arn:aws([a-z]|\-)*:events:([a-z]|\d|\-)*:([0-9]{12})?:connection\/[\.\-_A-Za-z0-9]+\/[\-A-Za-z0-9]+$",
)
DESCRIPTION: Final = Text(0, 512)
# Of archives, replays, connections and API destinations: no line breaks.
LINE: Final = Text(0, 512, ".*")
KMS_KEY: Final = Text(0, 2048, r"^[a-zA-Z0-9_\-/:]*$")
EVENT_PATTERN: Final = Text(0, 4096)
NEXT_TOKEN: Final = Text(1, 2048)
LIMIT: Final = Whole(1, 100)
ANY_TEXT: Final = Text(0, 2**31 - 1)

TAG_KEY: Final = Text(1, 128)
TAG: Final = Structure("Tag", {"Key": TAG_KEY, "Value": Text(0, 256)}, required=("Key", "Value"))
TAGS: Final = Many(TAG)

DEAD_LETTER_CONFIG: Final = Structure("DeadLetterConfig", {"Arn": ARN})
LOG_CONFIG: Final = Structure(
    "LogConfig", {"IncludeDetail": Choice(("NONE", "FULL")), "Level": Choice(("OFF", "ERROR", "INFO", "TRACE"))}
)
