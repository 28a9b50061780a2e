"""What is to be played: the scenario as types (`model`), and how a file becomes one (`load`).

model      the types
load       load(path), loads(text), resolved(scenario)
schema     the JSON Schema of the file, for editors
tree       YAML with places; problems and wording say what is wrong and where
shorthand, overrides, checks, names, seeds, places: one step of loading each
"""
