"""Ways to observe real traffic: one file each, and one registration line."""
