"""An internal objective is told to the operators alone, and says that it is internal."""

import json
from dataclasses import replace

from keeptime.model.alert import Topic

from .given import BROKEN, HOOK, OK, PAGE, PAGER, contract
from .teller import heard
