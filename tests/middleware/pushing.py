"""A model server of the tests that tells a daemon what it counts."""

import os

from keeptime.middleware import KeeptimeMiddleware, Pusher, Recorder
from tests.middleware.served import inner

recorder = Recorder()
app = KeeptimeMiddleware(inner, recorder=recorder, metrics="/metrics")
pusher = Pusher(recorder, os.environ["KEEPTIME_PUSH_TO"], every=0.5)
