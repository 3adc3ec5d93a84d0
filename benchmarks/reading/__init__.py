"""The parts of the benchmark of the read side: its log, who is measured, and what is made of it."""
