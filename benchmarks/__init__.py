"""Benchmarks, run by hand: `python -m benchmarks [NAME ...]`, or `make bench` in an environment that holds hftbacktest.

measure     CPU time beside a yardstick, figures and their table
market      the synthetic level-1 stream that all of them read
worlds      an engine around a strategy, without files

fills_only          eight resting orders per symbol, beside a C loop of the same rules (fills_only.c)
pipeline            the default pipeline with its gate shut, from memory and from Parquet
beside_hftbacktest  two-sided quoting, beside hftbacktest
python_strategy     plain Python strategies
memory              peak memory of a session and of one ten times larger
start               start-up of the command line

Every benchmark asserts exact counts, so that no speed-up changes behaviour unseen. Times are CPU time, the least of several;
on a shared machine read the ratios.
"""
