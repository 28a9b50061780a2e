"""The torture suites: seeded faults, kills, crash points, forgeries and mutants, each a command that says how to reproduce a failure.

python -m tests.torture SUITE --seed S --count N [--only CASE]
"""
