"""What is possible under the instruments of a scenario: beside the rulers of the bare game, in the same form."""

from __future__ import annotations

from society.core.exact import show, tidy
from society.core.mechanism import Bound
from society.core.seeds import Noise
from society.governance.governed import Governed
from society.rulers import Ruler
from society.scenario.model import Scenario
from society.views.rulers import NONE, bound_row
from society.views.tables import Cell


def governed_rows(scenario: Scenario) -> list[dict[str, Cell]]:
    """Optimum, ceiling and equilibria of the first round under the rules in force then; empty where there are none.

    Nobody has made a move, and nobody spends anything in a second stage. Payoffs are those after all transfers; what the same
    actions bring before them, and how much is taken or given in all, is told beside them.
    """
    if not scenario.instruments:
        return []
    game = Governed(scenario.mechanism, scenario.instruments, scenario.names)
    ruler = Ruler(game)
    try:
        found: list[tuple[str, Bound | None]] = [
            ("most for all in round 1", ruler.optimum),
            ("most for the first agent", ruler.ceiling[0]),
            ("worst pure equilibrium, all together", ruler.worst_equilibrium),
            ("best pure equilibrium, all together", ruler.best_equilibrium),
        ]
    except ValueError as problem:  # more actions than can be listed
        return [{"ruler": NONE, "value": None, "reached by": "", "exact": False, "how": str(problem)}]
    rows = [bound_row(name, _told(game, bound)) for name, bound in found if bound is not None]
    if ruler.worst_equilibrium is None:
        how = ruler.equilibria.how
        rows.append(
            {"ruler": "pure equilibrium", "value": None, "reached by": "", "exact": ruler.equilibria.exact, "how": how}
        )
    return rows


def _told(game: Governed, bound: Bound) -> Bound:
    """The bound with what its joint action comes to before transfers."""
    if bound.profile is None:
        return bound
    done = game.step(game.initial_state(), bound.profile, Noise(0, 1))
    told = [f"{show(tidy(sum(done.material)), 4)} before transfers"] if done.material != done.payoffs else []
    told += [f"{show(done.total, 4)} in all"] if done.total is not None else []
    return Bound(bound.value, bound.profile, bound.exact, "; ".join([*told, bound.how]))
