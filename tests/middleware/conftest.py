"""A forked child of a test's process collects only its own garbage: what others of the run left there (greenlets of
a browser, threads that are no more) cannot be walked through after a fork."""

import gc
import os

os.register_at_fork(after_in_child=gc.freeze)
