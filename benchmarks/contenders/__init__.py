"""Who is measured: each takes its short turn in every round."""
