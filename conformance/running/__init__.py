"""Run many requirements under pytest, within limits, and collect their verdicts."""
