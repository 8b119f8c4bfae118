"""TestEventPattern."""

from harness.bus.operations.call import Answer, Call, invalid
from harness.bus.operations.rules import invalid_pattern
from harness.bus.patterns import event_pattern
from harness.bus.patterns.pattern import PatternError


async def test(call: Call) -> Answer:
    try:
        matches = event_pattern.test_event_pattern(
            call.request["EventPattern"], call.request["Event"], characters=call.desk.pattern_characters()
        )
    except event_pattern.EventError as error:
        return invalid(str(error))
    except PatternError as error:
        return invalid_pattern(error)
    return {"Result": matches}
