"""Benchmarks: ``make bench`` runs all, ``make bench ARGS=tokens`` one."""
