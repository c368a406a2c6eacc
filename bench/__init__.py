"""The benchmarks: authsvc beside what else there is, in one run on one machine. docs/benchmarks.md is made by them."""
