"""The routes, a module for each resource; they ask, and answer, and decide nothing."""
