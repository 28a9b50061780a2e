"""Scripted policies: rules from the literature, one file a family, found by their kind.

A script is a pure function of what its agent sees, the public rules and keyed noise. It may make moves in talk but says
nothing unless its part is written out, declares its own intention honestly, and predicts the others only if it has a model of them. Those that calculate do so
under the rules in force: a fine counts with the probability of being caught.
"""

from society.agents.scripted.script import SCRIPTS, Past, Script, ScriptedPolicy, Sight, parse_script

__all__ = ["SCRIPTS", "Past", "Script", "ScriptedPolicy", "Sight", "parse_script"]
