"""One test or more for every numbered fault of docs/delivery.md, named `test_fault_NN_…`; faults are real ones.

The parts: `scene` (a model, a consumer and `keeptime run` between them), `proxy` (a network that fails on demand),
`shifting` (a wall clock that is set while keeptime runs), `disk` (a small one that is filled to the byte), `locked`
(the database's write lock in other hands), `unsyncing` (fsync that gives EIO).
"""
