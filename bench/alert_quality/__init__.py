"""How well decision rules alert: labelled, seeded simulations, judged by keeptime's own judge.

`streams` makes traffic and incidents, `rules` are the rivals in the form that the judge takes, `running` judges,
`figures` counts what came of it, `showing` prints and draws. `python -m bench.alert_quality --help` runs it.
"""
