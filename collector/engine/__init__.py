"""From a plan to recorded results and where they leave each requirement: plan, collect, test, run, status."""
