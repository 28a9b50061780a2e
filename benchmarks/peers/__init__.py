"""Other packages on the same server and workload: each is given the messages of every call and asked in the way its own users ask.

A file holds one function that a process of its own calls; it imports its package and nothing of the sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """Attributes: `module` below this folder, `install`: the command that installs it, `note`: what of it is measured."""

    name: str
    module: str
    install: str
    note: str

    @property
    def function(self) -> str:
        return f"benchmarks.peers.{self.module}:run"


PEERS = (
    Peer("AutoGen", "autogen", "pip install autogen-agentchat 'autogen-ext[openai]'", "an AssistantAgent a seat"),
    Peer("LangGraph", "langgraph", "pip install langgraph langgraph-checkpoint-sqlite langchain-openai", "checkpoints"),
    Peer("pydantic-ai", "pydantic_ai", "pip install 'pydantic-ai-slim[openai]'", "an Agent a seat, text answers"),
    Peer("Inspect", "inspect", "pip install inspect-ai", "an eval, a sample an episode, its log on"),
    Peer("AgentScope", "agentscope", "pip install agentscope", "its OpenAI chat model"),
    Peer("Concordia", "concordia", "pip install gdm-concordia", "its language model interface, a thread a call"),
    Peer("mesa-llm", "mesa_llm", "pip install mesa-llm", "a ModuleLLM a seat, over litellm"),
)
