"""What Kannel does while it runs, is isolated, is suspended, or ends."""

from smppgw.kannel.state import Phase, State


def test_each_verb_says_whether_it_changed_anything() -> None:
    state = State()
    assert not state.resume()
    assert state.suspend()
    assert not state.suspend()
    assert state.isolate()
    assert not state.isolate()
    assert state.resume()
    assert state.shutdown()
    assert not state.shutdown()
    assert not (state.suspend())
    assert not (state.isolate())
    assert not (state.resume())
    assert state.is_over


def test_what_each_phase_lets_through() -> None:
    state = State()
    through = {}
    for verb in (state.suspend, state.isolate, state.resume, state.shutdown):
        verb()
        through[state.phase] = (state.takes, state.sends, state.receives)
    assert through == {
        Phase.SUSPENDED: (False, False, False),
        Phase.ISOLATED: (True, True, False),
        Phase.RUNNING: (True, True, True),
        Phase.SHUTDOWN: (False, False, False),
    }


def test_it_is_full_while_the_limit_is_reached() -> None:
    queue: list[int] = []
    state = State(lambda: len(queue), 1)
    phases = [state.phase]
    queue.append(1)
    phases.append(state.phase)
    assert phases == [Phase.RUNNING, Phase.FULL]
    assert state.takes
    assert not State(lambda: 10**9).is_full
