"""One call to a language model, and the clients around it.

names               what a model is called: local, mock:NAME, openai:NAME, NAME@URL, replay
settings            what the operator may set: endpoints, keys, limits
pool                one per process: shared connections, throttles and counters; a client stack for each run
recall, record      the journal: look there first; commit every question before it is sent and every answer after
budget, prices      what a run may spend, and what a call costs
cache               answers by content, off by default
retry, faults       one retry loop, and what each failure means
throttle            calls in flight, requests and tokens a minute, one pause for all who share a key
openai_compatible   any server that speaks the protocol; `envelope` reads what it sends
local               a small model that runs inside this process
mock                language models that are deterministic and offline
"""
