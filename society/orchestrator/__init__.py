"""Playing: stages, rounds, episodes.

It asks *policies* and tells a *sink*; it knows neither language models nor SQL. All that happens in an episode is a pure
function of (scenario, seed, answers), whatever the order in which answers arrive.
"""

from society.orchestrator.course import retold
from society.orchestrator.episode import play_episode
from society.orchestrator.watch import Silent, Watcher

__all__ = ["Silent", "Watcher", "play_episode", "retold"]
