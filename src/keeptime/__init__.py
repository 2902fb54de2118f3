"""keeptime keeps latency SLAs for machine-learning models.

This package file must stay empty of imports: every command pays for what stands here.
"""

__version__ = "0.1.0"
