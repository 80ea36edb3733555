"""The family of a problem: every method, and every relaxation of what it gives."""

from unroll_dsl.family.members import members
from unroll_dsl.family.model import Choice, Learnt, Member, NoMember, Row, UntrainedStart

__all__ = ["Choice", "Learnt", "Member", "NoMember", "Row", "UntrainedStart", "members"]
