"""Many runs as one experiment: a grid of settings, played to the end whatever interrupts it.

file       what is to be varied, from YAML
grid       its cells and the runs they want
held       which runs of a log are which of these
engine     playing what a log lacks, many at a time
workers    the same on several processors of one machine
on_ray     the same on a Ray cluster
"""
