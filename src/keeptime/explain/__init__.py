"""Why it got slow: what is different about the slow requests, since when, and what happened then."""
