from unroll_dsl.passes.phase_sums import terms

_DECLARED = """
    input y : vector[n]
    state x : vector[n] = %0 then %2
    trace d = %2
    output %3
    target target : vector[n]
    loss %6
    phases 3
    %0 = input y : vector[n]
    %1 = state x : vector[n]
    %2 = exp %1 : vector[n]
    %3 = final x : vector[n]
"""


def test_a_term_is_computed_by_the_phase(rewrite, lines):
    before = (
        _DECLARED
        + """
    %4 = traced d : vector[n]
    %5 = contract %4, %4 : scalar
    %6 = phase_sum %5 : scalar
    """
    )
    after = """
        trace d = %4
        output %3
        loss %6
        phases 3
        %0 = input y : vector[n]
        %1 = state x : vector[n]
        %2 = exp %1 : vector[n]
        %3 = final x : vector[n]
        %4 = contract %2, %2 : scalar
        %5 = traced d : scalar
        %6 = phase_sum %5 : scalar
    """
    assert rewrite(terms, before) == lines(after)


def test_a_term_that_reads_the_target_stays_with_the_loss(rewrite, lines):
    before = (
        _DECLARED.replace("loss %6", "loss %7")
        + """
    %4 = traced d : vector[n]
    %5 = target target : vector[n]
    %6 = contract %4, %5 : scalar
    %7 = phase_sum %6 : scalar
    """
    )
    assert rewrite(terms, before) == rewrite(lambda graph: graph, before)


def test_what_two_sums_read_is_traced_for_each(rewrite):
    before = (
        _DECLARED.replace("loss %6", "loss %9")
        + """
    %4 = traced d : vector[n]
    %5 = contract %4, %4 : scalar
    %6 = phase_sum %5 : scalar
    %7 = builtin[sum] %4 : scalar
    %8 = phase_sum %7 : scalar
    %9 = add %6, %8 : scalar
    """
    )
    found = rewrite(terms, before)
    assert "trace d = %4" in found and "trace term = %" in found
    assert "traced d : scalar" in found and "traced term : scalar" in found


def test_what_a_term_that_stays_reads_keeps_its_name(rewrite):
    before = (
        _DECLARED.replace("loss %6", "loss %10")
        + """
    %4 = traced d : vector[n]
    %5 = contract %4, %4 : scalar
    %6 = phase_sum %5 : scalar
    %7 = target target : vector[n]
    %8 = contract %4, %7 : scalar
    %9 = phase_sum %8 : scalar
    %10 = add %6, %9 : scalar
    """
    )
    found = rewrite(terms, before)
    assert "trace d = %2" in found and "trace term = %" in found


def test_three_terms_have_three_names(rewrite):
    before = (
        _DECLARED.replace("loss %6", "loss %12")
        + """
    %4 = traced d : vector[n]
    %5 = contract %4, %4 : scalar
    %6 = phase_sum %5 : scalar
    %7 = builtin[sum] %4 : scalar
    %8 = phase_sum %7 : scalar
    %9 = builtin[max] %4 : scalar
    %10 = phase_sum %9 : scalar
    %11 = add %6, %8 : scalar
    %12 = add %11, %10 : scalar
    """
    )
    found = rewrite(terms, before)
    named = [line.split()[1] for line in found.splitlines() if line.startswith("trace ")]
    assert named == ["d", "term", "term_2"]
