"""Gateways from which one safeguard is taken away, under the stress in which that shows: each must be caught wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers import RedisServer
from tests.stress.answers.ground import Ground
from tests.stress.answers.run import ALONE, TWO, play, scene
from tests.stress.answers.tally import Tally


@dataclass(frozen=True)
class Control:
    """`weakness`: what is taken away, see `weakened`; `breaks`: the letters of the promises, see `checks`, that answers
    must break for want of it, each of them; `names`: of the gateways, which share a Redis when there are several;
    `fault`: what opens the door, over and over with pauses, where the ordinary run of things does not; `narrow`:
    everybody at one tenant, so that what has to come together does so sooner."""

    weakness: str
    breaks: str
    names: Sequence[str]
    fault: str | None = None
    longest_pause_seconds: float = 0.2
    narrow: bool = False

    def __str__(self) -> str:
        return f"{self.weakness}, {len(self.names)} process{'es' if self.shares else ''}"

    @property
    def shares(self) -> bool:
        return len(self.names) > 1

    def caught(self, tally: Tally) -> bool:
        """Whether it has done what it must."""
        return tally.broken.issuperset(self.breaks)


QUICK = (
    Control("unchecked", "bc", ALONE),
    Control("unmarked", "c", ALONE),
    Control("untold", "c", TWO),
    Control("late", "c", ALONE, fault="hold_reads", narrow=True),
    Control("torn", "a", ALONE),
)
"""They are caught within seconds."""
CONTROLS = (
    *QUICK,
    Control("unchecked", "bc", TWO),
    Control("unmarked", "c", TWO),
    Control("trusting", "b", ALONE, fault="stall_wire", longest_pause_seconds=4),
    Control("credulous", "c", TWO, fault="forget", narrow=True),
)
IMMORTAL = Control("immortal", "a", TWO)
"""Under crashes of the database."""


async def stress_control(
    control: Control, ground: Ground, directory: Path, redis: RedisServer, seed: str, seconds: float
) -> Tally:
    """Ends as soon as it is caught."""
    shared = redis if control.shares else None
    chosen = ground.narrow if control.narrow else ground
    async with scene(chosen, directory, seed, names=control.names, redis=shared, control=control.weakness) as stage:
        faults = [stage.faults.repeat(control.fault, control.longest_pause_seconds)] if control.fault else []
        return await play(stage, [*stage.players(), *faults], seconds, enough=control.caught)
