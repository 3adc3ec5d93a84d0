"""The parts of the storm: who is liquidated, who sends commands meanwhile, and what came of it."""
