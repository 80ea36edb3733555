import pytest

from unroll_dsl.passes.analysis.liveness import Variant, liveness, unused, variants

ISTA = """
    input y : vector[n]
    fixed t : scalar = %6
    state x : vector[n] = %2 then %4
    output %5
    phases 3
    %0 = input y : vector[n]
    %1 = constant 0 : scalar
    %2 = expand %1 : vector[n]
    %3 = state x : vector[n]
    %4 = sub %3, %0 : vector[n]
    %5 = final x : vector[n]
    %6 = constant 2 : scalar
"""

# ADMM: z is put out; u, which only later phases read, has a step of its own
ADMM = """
    input y : vector[n]
    learnable eta : scalar per phase = %2
    learnable tau : scalar per phase = %2
    state z : vector[n] = %3 then %10
    state u : vector[n] = %3 then %12
    output %13
    phases 5
    %0 = input y : vector[n]
    %1 = constant 0 : scalar
    %2 = constant 1 : scalar
    %3 = expand %1 : vector[n]
    %4 = state z : vector[n]
    %5 = state u : vector[n]
    %6 = learnable tau : scalar
    %7 = learnable eta : scalar
    %8 = add %0, %4 : vector[n]
    %9 = sub %8, %5 : vector[n]
    %10 = mul %6, %9 : vector[n]
    %11 = mul %7, %10 : vector[n]
    %12 = add %5, %11 : vector[n]
    %13 = final z : vector[n]
"""

# FISTA's pattern: v reads the new and the old x, the output is x
FISTA = """
    input y : vector[n]
    state x : vector[n] = %2 then %5
    state v : vector[n] = %2 then %7
    output %8
    phases 9
    %0 = input y : vector[n]
    %1 = constant 0 : scalar
    %2 = expand %1 : vector[n]
    %3 = state x : vector[n]
    %4 = state v : vector[n]
    %5 = sub %4, %0 : vector[n]
    %6 = sub %5, %3 : vector[n]
    %7 = add %5, %6 : vector[n]
    %8 = final x : vector[n]
"""


def test_phases_that_all_do_the_same_have_no_tail(graph):
    found = liveness(graph(ISTA))
    assert found.steady == Variant(("x",), ("x",), (), ())
    assert found.tail == ()
    assert found.inputs == ("y",)
    assert found.constants == ()


def test_the_last_phase_lacks_the_update_that_nothing_reads_and_its_learnable(graph):
    found = liveness(graph(ADMM))
    assert found.steady == Variant(("z", "u"), ("z", "u"), ("eta", "tau"), ())
    assert found.tail == (Variant(("z", "u"), ("z",), ("tau",), ()),)
    assert found.parameters == ("eta", "tau")


def test_a_learnable_of_a_dropped_update_does_not_exist_in_a_network_of_one_phase(graph):
    assert liveness(graph(ADMM), phases=1).parameters == ("tau",)
    assert liveness(graph(ADMM), phases=2).parameters == ("eta", "tau")


@pytest.mark.parametrize("phases", [0, 1, 2, 5])
def test_variants_end_in_the_tail(graph, phases):
    found = liveness(graph(ADMM))
    listed = variants(found, phases)
    assert len(listed) == phases
    assert listed[-1:] == found.tail[: min(phases, 1)]
    assert all(variant == found.steady for variant in listed[:-1])


def test_a_phase_that_computes_the_same_anyway_is_the_same(graph):
    # The last phase but one has to hand on v alone, but computes x on the way to it.
    found = liveness(graph(FISTA))
    assert found.steady == Variant(("x", "v"), ("x", "v"), (), ())
    assert found.tail == (Variant(("v",), ("x",), (), ()),)


def test_a_delay_line_has_a_variant_for_each_phase_until_all_are_alike(graph):
    found = liveness(
        graph("""
        input y : scalar
        state a : scalar = %1 then %5
        state b : scalar = %1 then %6
        state c : scalar = %1 then %7
        output %8
        phases 9
        %0 = input y : scalar
        %1 = constant 0 : scalar
        %2 = state a : scalar
        %3 = state b : scalar
        %4 = state c : scalar
        %5 = add %2, %0 : scalar
        %6 = neg %2 : scalar
        %7 = neg %3 : scalar
        %8 = final c : scalar
    """)
    )
    # all of them, so that a trajectory has them; the last phases save what nobody reads
    assert found.steady == Variant(("a", "b"), ("a", "b", "c"), (), ())
    assert [(v.reads, v.updates) for v in found.tail] == [(("a",), ("b",)), (("b",), ("c",))]


def test_states_that_swap_are_all_kept(graph):
    found = liveness(
        graph("""
        state a : scalar = %0 then %3
        state b : scalar = %1 then %2
        output %4
        phases 4
        %0 = constant 0 : scalar
        %1 = constant 1 : scalar
        %2 = state a : scalar
        %3 = state b : scalar
        %4 = final a : scalar
    """)
    )
    assert found.steady == Variant(("a", "b"), ("a", "b"), (), ())
    assert found.tail == ()


def test_an_update_that_is_another_states_start_is_read_through(graph):
    # v <- prev(x): v of the next phase is x of this one as it began
    found = liveness(
        graph("""
        input y : scalar
        state x : scalar = %1 then %5
        state v : scalar = %1 then %2
        output %6
        phases 4
        %0 = input y : scalar
        %1 = constant 0 : scalar
        %2 = state x : scalar
        %3 = state v : scalar
        %4 = sub %2, %3 : scalar
        %5 = add %4, %0 : scalar
        %6 = final x : scalar
    """)
    )
    assert found.steady == Variant(("x", "v"), ("x", "v"), (), ())
    assert found.tail == ()  # handing v on costs nothing


LOSS = """
    input y : scalar
    fixed weight : scalar = %1
    learnable g : scalar per phase = %1
    learnable h : scalar per phase = %1
    state x : scalar = %2 then %6
    trace t = %8
    output %9
    target goal : scalar
    loss %15
    phases 3
    %0 = input y : scalar
    %1 = constant 1 : scalar
    %2 = constant 0 : scalar
    %3 = state x : scalar
    %4 = learnable g : scalar
    %5 = learnable h : scalar
    %6 = mul %4, %0 : scalar
    %7 = mul %5, %3 : scalar
    %8 = sub %7, %6 : scalar
    %9 = final x : scalar
    %10 = traced t : scalar
    %11 = phase_sum %10 : scalar
    %12 = target goal : scalar
    %13 = sub %9, %12 : scalar
    %14 = fixed weight : scalar
    %15 = add %13, %11 : scalar
"""


def test_without_training_traces_and_what_only_they_need_do_not_exist(graph):
    found = liveness(graph(LOSS))
    assert found.steady == Variant((), (), (), ())
    assert found.tail == (Variant((), ("x",), ("g",), ()),)
    assert found.parameters == ("g",)


def test_in_training_every_phase_makes_the_traces_of_the_loss(graph):
    found = liveness(graph(LOSS), training=True)
    assert found.steady == Variant(("x",), ("x",), ("g", "h"), ("t",))
    assert found.tail == ()
    assert found.parameters == ("g", "h")


def test_declarations_that_nothing_needs_are_unused(graph):
    assert unused(graph(LOSS)) == ("weight",)
    assert unused(graph(ISTA)) == ("t",)


def test_what_only_initial_values_limits_or_the_objective_read_is_used(graph):
    program = graph("""
        input y : scalar
        fixed a : scalar
        fixed b : scalar
        fixed c : scalar = %1
        fixed idle : scalar = %8
        learnable w : scalar >= %2 = %3
        output %6
        variable x : scalar
        objective %9
        %0 = input y : scalar
        %1 = fixed a : scalar
        %2 = fixed b : scalar
        %3 = fixed c : scalar
        %4 = learnable w : scalar
        %5 = constant 0 : scalar
        %6 = mul %4, %0 : scalar
        %7 = variable x : scalar
        %8 = constant 1 : scalar
        %9 = mul %7, %7 : scalar
    """)
    assert unused(program) == ("idle",)
    assert liveness(program).constants == ("a", "b", "c")


def test_a_learnable_that_only_lends_its_initial_value_is_no_parameter(graph):
    program = graph("""
        input y : scalar
        fixed a : scalar
        learnable v : scalar = %1
        learnable w : scalar = %2
        output %4
        %0 = input y : scalar
        %1 = fixed a : scalar
        %2 = learnable v : scalar
        %3 = learnable w : scalar
        %4 = mul %3, %0 : scalar
    """)
    found = liveness(program)
    assert found.parameters == ("w",)
    assert found.constants == ("a",)
    assert unused(program) == ()


def test_the_first_value_of_a_state_that_is_overwritten_unread_is_not_needed(graph):
    program = graph("""
        input y : scalar
        fixed start : scalar
        state x : scalar = %1 then %2
        output %3
        phases 2
        %0 = input y : scalar
        %1 = fixed start : scalar
        %2 = exp %0 : scalar
        %3 = final x : scalar
    """)
    assert liveness(program).constants == ()
    assert liveness(program, phases=0).constants == ("start",)
    assert unused(program) == ("start",)


def test_a_state_read_only_within_its_phase_is_used(graph):
    program = graph("""
        input y : scalar
        state x : scalar = %1 then %2
        state z : scalar = %1 then %3
        output %4
        phases 2
        %0 = input y : scalar
        %1 = constant 0 : scalar
        %2 = exp %0 : scalar
        %3 = neg %2 : scalar
        %4 = final z : scalar
    """)
    assert unused(program) == ()


def test_a_program_without_phases_has_empty_ones(graph):
    found = liveness(
        graph("""
        input y : scalar
        output %1
        %0 = input y : scalar
        %1 = exp %0 : scalar
    """)
    )
    assert found.steady == Variant((), (), (), ())
    assert found.inputs == ("y",)


def test_the_first_of_several_phases_is_a_steady_one(graph):
    """It alone reads the start of u; the last one reads z and makes x."""
    program = graph("""
        input y : scalar
        fixed start : scalar
        state x : scalar = %1 then %6
        state z : scalar = %1 then %7
        state u : scalar = %2 then %8
        output %9
        phases 2
        %0 = input y : scalar
        %1 = constant 0 : scalar
        %2 = fixed start : scalar
        %3 = state x : scalar
        %4 = state z : scalar
        %5 = state u : scalar
        %6 = sub %4, %0 : scalar
        %7 = add %5, %0 : scalar
        %8 = mul %4, %0 : scalar
        %9 = final x : scalar
    """)
    assert [variant.reads for variant in variants(liveness(program), 2)] == [("z", "u"), ("z",)]
    assert liveness(program, phases=1).constants == ()
    assert liveness(program, phases=2).constants == ("start",)
