"""`society check`: is this a scenario, and does it play?"""

from __future__ import annotations

from society.cli.options import Json, Quiet, Scenarios, Set


def check(scenarios: Scenarios, set_: Set = None, json: Json = False, quiet: Quiet = False) -> int:
    """Validate scenarios, every problem with its line.

    Exit code 2 if any file has a problem.
    """
    from society.cli.output import note, result, result_json
    from society.core.errors import ScenarioError
    from society.scenario.load import load
    from society.views.terminal import safe_lines

    reports: list[dict[str, object]] = []
    for name in scenarios:
        try:
            scenario = load(name, set_ or ())
        except ScenarioError as error:
            problems = [problem.as_json() for problem in error.problems] or [{"message": str(error)}]
            reports.append({"scenario": name, "ok": False, "problems": problems})
            note("\n".join(safe_lines(str(error))))
        else:
            reports.append({"scenario": name, "ok": True, "problems": []})
            note(f"{name}: fine: {len(scenario.agents)} agents, {scenario.rounds} rounds", quiet=quiet or json)
    if json:
        result_json(reports)
    elif not quiet:
        good = sum(report["ok"] is True for report in reports)
        result(f"{good} of {len(reports)} scenarios are fine")
    return 0 if all(report["ok"] for report in reports) else 2
