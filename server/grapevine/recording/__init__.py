"""Where batches are recorded: inside the serving process, or in another one that does nothing else."""
