"""Frozen values that pass between the stages: contract → observe → judge → tell → explain.

Guarantees: nothing here does I/O, reads a clock or imports anything but the standard library.
"""
