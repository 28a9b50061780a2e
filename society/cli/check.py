"""`society check`: is this a scenario, and does it play?"""

from __future__ import annotations

from society.cli.options import Json, Quiet, Scenarios, Set


def check(scenarios: Scenarios, set_: Set = None, json: Json = False, quiet: Quiet = False) -> int:
    """Validate scenarios and play one round offline.

    Every problem is told with its line. Exit code 2 if any file has a problem.
    """
    import asyncio

    from society.cli.output import note, result, result_json
    from society.core.errors import BadInput, ScenarioError
    from society.models.names import parse_name
    from society.rehearsal import rehearse
    from society.scenario.load import load
    from society.views.terminal import safe_lines

    reports: list[dict[str, object]] = []
    for name in scenarios:
        try:
            scenario = load(name, set_ or ())
            for settings in scenario.models.values():
                parse_name(settings.name)
            asyncio.run(rehearse(scenario, rounds=1))
        except BadInput as error:
            found = error.problems if isinstance(error, ScenarioError) else ()
            problems = [problem.as_json() for problem in found] or [{"message": str(error)}]
            reports.append({"scenario": name, "ok": False, "problems": problems})
            note("\n".join(safe_lines(str(error) if found else f"{name}: {error}")))
        else:
            reports.append({"scenario": name, "ok": True, "problems": []})
            note(
                f"{name}: fine: {len(scenario.agents)} agents, {scenario.rounds} rounds; one was played offline",
                quiet=quiet or json,
            )
    if json:
        result_json(reports)
    elif not quiet:
        good = sum(report["ok"] is True for report in reports)
        result(f"{good} of {len(reports)} scenarios are fine")
    return 0 if all(report["ok"] for report in reports) else 2
