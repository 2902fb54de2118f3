"""`keeptime demo`: a model, a contract, a fault, an alert, in two minutes; and a past that was not lived.

Guarantees: of the two minutes everything is real (a model server, `keeptime run`, a receiver that checks
signatures), each a process of its own on loopback; unless it is told to keep them, none outlives the demo. They use
keeptime from outside alone: its command line, its HTTP API and its messages. The past is made by keeptime's own
parts, within this process.
"""
