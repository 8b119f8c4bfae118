"""The index against a model that looks at everything each time: any order of what is told and asked."""

import random
from dataclasses import dataclass, field, replace

import pytest

from harness.queues.index import Arrived, Claim, Counts, Index, Lane
from harness.queues.lane_codec import group_lane, own_lane

STEPS = 400


@dataclass
class Model:
    """What there is, as plainly as can be said."""

    ordered: bool
    messages: dict[int, Arrived] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)

    def until(self, message: Arrived) -> int:
        claim = self.lanes.get(message.lane, Lane(message.lane)).claims.get(message.sequence)
        return claim.until if claim else 0

    def counts(self, now: int) -> Counts:
        flying = [each for each in self.messages.values() if self.until(each) > now]
        delayed = [each for each in self.messages.values() if each.due > now and self.until(each) <= now]
        return Counts(len(self.messages) - len(flying) - len(delayed), len(flying), len(delayed))

    def may_be_given(self, sequence: int, now: int) -> bool:
        message = self.messages[sequence]
        if message.due > now or self.until(message) > now:
            return False
        mates = [each for each in self.messages.values() if each.lane == message.lane]
        blocked = any(self.until(each) > now for each in mates)
        earlier = any(each.sequence < sequence and each.due > now for each in mates)
        return not self.ordered or not (blocked or earlier)


@pytest.mark.parametrize("ordered", [False, True], ids=["standard", "FIFO"])
@pytest.mark.parametrize("seed", range(8))
def test_the_index_agrees_with_a_plain_model(seed: int, ordered: bool) -> None:
    chance = random.Random(seed)
    index, model = Index(ordered=ordered), Model(ordered)
    now, last, revision = 1000, 0, 0
    for _ in range(STEPS):
        now += chance.choice([0, 1, 5, 20])
        act = chance.choice(
            ["arrive", "arrive", "pick", "pick", "erase", "hide", "purge" if chance.random() < 0.02 else "pick"]
        )
        known = [lane for lane in model.lanes.values() if lane.claims]
        if act == "arrive":
            last += 1
            lane = group_lane(str(chance.randrange(4))) if ordered else own_lane(last)
            message = Arrived(last, lane, now, now + chance.choice([0, 0, 0, 15]))
            model.messages[last] = message
            index.arrived(message, now)
            index.arrived(message, now)  # told twice, as after a reconnect
        elif act == "pick":
            most = chance.randrange(1, 6)
            picks = index.pick(now, most)
            given = [each.sequence for pick in picks for each in pick.messages]
            possible = sum(model.may_be_given(each, now) for each in model.messages)
            assert len(given) <= most
            assert all(model.may_be_given(each, now) for each in given)
            assert len(given) == min(most, possible)
            for pick in picks:
                lost = chance.random() < 0.2  # another process was quicker
                if not lost:
                    revision += 1
                    claim = Claim("r", now, now + chance.choice([0, 10, 40]), now, 1)
                    claims = {**pick.lane.claims, **dict.fromkeys((each.sequence for each in pick.messages), claim)}
                    model.lanes[pick.lane.key] = Lane(pick.lane.key, claims, (), revision)
                    index.changed(model.lanes[pick.lane.key], now)
                index.settle(pick, now)
        elif act == "erase" and model.messages:
            message = model.messages.pop(chance.choice(list(model.messages)))
            revision += 1
            lane_now = model.lanes.get(message.lane, Lane(message.lane))
            claims = {key: value for key, value in lane_now.claims.items() if key != message.sequence}
            model.lanes[message.lane] = Lane(message.lane, claims, (message.sequence,), revision)
            index.changed(model.lanes[message.lane], now)
            index.arrived(message, now)  # told late
        elif act == "hide" and known:
            revision += 1
            held = chance.choice(known)
            changed = {key: replace(value, until=now + chance.choice([0, 30])) for key, value in held.claims.items()}
            model.lanes[held.key] = Lane(held.key, changed, (), revision)
            index.changed(model.lanes[held.key], now)
        elif act == "purge":
            model.messages.clear()
            model.lanes.clear()
            index.purged(last)
        assert index.counts(now) == model.counts(now)
