"""Messages before acting: who speaks when, to whom, and what of it is heard."""

from __future__ import annotations

from dataclasses import dataclass

from society.core.events import Spoke
from society.core.moves import Move
from society.core.policy import Answer, Draft, Utterance
from society.core.seeds import Noise
from society.scenario.model import Talk


def speaking_order(talk: Talk, agents: int, turn: int, noise: Noise) -> tuple[tuple[int, ...], ...]:
    """Who speaks in one turn: groups of seats, each group at once, one group after the other.

    fixed: by seat. rotating: one seat later each round. random: by keyed noise, anew each turn. simultaneous: all at once.
    """
    seats = tuple(range(agents))
    if talk.order == "simultaneous":
        return (seats,)
    if talk.order == "rotating":
        first = (noise.round - 1) % agents
        seats = seats[first:] + seats[:first]
    elif talk.order == "random":
        seats = tuple(noise.order(seats, f"speaking order of turn {turn}"))
    return tuple((seat,) for seat in seats)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One turn's words as they were delivered, whether anything had to be cut, and the moves beside them."""

    messages: tuple[Draft, ...]
    clipped: bool = False
    error: str = ""
    moves: tuple[Move, ...] = ()


def deliverable(answer: Answer[Utterance], *, speaker: int, agents: int, talk: Talk) -> Spoken:
    """What of an utterance is delivered: clipped to length, on open channels, to seats that exist.

    A message on a closed channel or to nobody is dropped and named in the error; silence needs no message at all.
    """
    if answer.value is None:
        return Spoken((), error=answer.error)
    kept: list[Draft] = []
    problems = [answer.error] if answer.error else []
    clipped = False
    for draft in answer.value.messages:
        channel = "public" if draft.to is None else "private"
        to = None if draft.to is None else tuple(sorted({seat for seat in draft.to if 0 <= seat < agents} - {speaker}))
        if channel not in talk.channels:
            problems.append(f"{channel} messages are not allowed here; one was not delivered")
        elif to == ():
            problems.append("a private message to nobody was not delivered")
        elif draft.text or draft.announced is not None:
            text = draft.text[: talk.length]
            clipped = clipped or text != draft.text
            kept.append(Draft(to, text, draft.announced))
    return Spoken(tuple(kept), clipped, "; ".join(problems), answer.value.moves)


def spoke(answer: Answer[Utterance], spoken: Spoken, *, round: int, turn: int, agent: int) -> Spoke:
    """The event of one turn."""
    return Spoke(
        round=round,
        turn=turn,
        agent=agent,
        messages=spoken.messages,
        status=answer.status if answer.value is not None or answer.status != "ok" else "defaulted",
        clipped=spoken.clipped,
        error=spoken.error,
        moves=spoken.moves,
    )
