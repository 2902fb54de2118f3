"""What runs inside a user's model server: counts every request, for keeptime and for Prometheus.

Guarantees: needs the standard library, `keeptime.model` and nothing else, so it costs a model server no
dependency.
"""

from keeptime.middleware.asgi import KeeptimeMiddleware
from keeptime.middleware.call import Call
from keeptime.middleware.labels import Caps
from keeptime.middleware.late import Stacks
from keeptime.middleware.layout import Labels
from keeptime.middleware.metrics import Metrics, expose
from keeptime.middleware.push import Pusher
from keeptime.middleware.recorder import Recorder

__all__ = ["Call", "Caps", "KeeptimeMiddleware", "Labels", "Metrics", "Pusher", "Recorder", "Stacks", "expose"]
