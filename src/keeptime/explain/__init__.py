"""Why it got slow. (Not built yet; see the issues.)"""
