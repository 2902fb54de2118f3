"""What holds for every test: no property has a deadline, for nothing is asserted on absolute time."""

from hypothesis import settings

settings.register_profile("keeptime", deadline=None)
settings.load_profile("keeptime")
