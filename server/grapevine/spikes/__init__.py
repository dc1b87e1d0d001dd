"""Pages whose returns rise far above their own recent rate: ``statistic`` judges, ``watch`` looks and raises."""
