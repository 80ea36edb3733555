"""Mutation runs by hand: plausible slips are put into chosen modules one at a time, and the tests must notice.

python -m tests.mutation unroll_dsl/train --limit 40 --seed 0
"""
