"""A run host that never says who it is."""

import time

time.sleep(120)
