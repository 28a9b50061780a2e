"""What is drawn of a run: pure functions from what was played, or from what an analysis found, to a `Chart`.

drawing         SVG text, scales, the `Chart`
lines           lines over rounds
timeline        stock, requests, grants, thresholds
matrix          who surprised whom; what each did in each round
waterfall       from the best possible down to what happened
intervals       estimates with their intervals: cells of a sweep
coalitions      agreements over time; ties between agents
"""
