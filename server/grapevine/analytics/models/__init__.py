"""Pure statistics, each with the paper it follows."""
