"""A machine whose sessions begin and end transactions, and savepoints in them, in any order."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.rollups.model import SESSIONS, Ground

sessions = st.integers(0, SESSIONS - 1)


class Turns(RuleBasedStateMachine):
    """To be given rules that write, and what must hold. A step that makes no sense where it comes does nothing."""

    ground: ClassVar[Ground]

    @initialize()
    def begin_anew(self) -> None:
        self.ground.reset()

    @rule(session=sessions, how=st.sampled_from(["READ COMMITTED", "REPEATABLE READ", "COMMIT", "ROLLBACK"]))
    def begin_or_end(self, session: int, how: str) -> None:
        turn = self.ground.sessions[session]
        self.ground.run(turn.end(how) if turn.open else turn.begin(how))

    @rule(session=sessions, how=st.sampled_from(["SAVEPOINT", "ROLLBACK TO", "RELEASE"]), depth=st.integers(0, 2))
    def save_or_unwind(self, session: int, how: str, depth: int) -> None:
        turn = self.ground.sessions[session]
        self.ground.run(turn.save() if how == "SAVEPOINT" else turn.unwind(how, depth))
