from unroll_dsl.passes.dead import dead


def test_what_nothing_reads_is_dropped_and_the_rest_numbered_anew(rewrite, lines):
    before = """
        input y : vector[n]
        output %3
        %0 = input y : vector[n]
        %1 = abs %0 : vector[n]
        %2 = neg %1 : vector[n]
        %3 = exp %0 : vector[n]
    """
    after = """
        output %1
        %0 = input y : vector[n]
        %1 = exp %0 : vector[n]
    """
    assert rewrite(dead, before) == lines(after)


def test_limits_initial_values_traces_loss_and_objective_keep_their_values(graph):
    program = graph("""
        input y : scalar
        fixed a : scalar > %2 = %3
        learnable b : scalar <= %4 = %5
        state x : scalar = %6 then %8
        trace t = %9
        output %10
        loss %11
        variable w : scalar
        objective %13
        phases 1
        %0 = input y : scalar
        %1 = fixed a : scalar
        %2 = constant 1 : scalar
        %3 = constant 2 : scalar
        %4 = constant 3 : scalar
        %5 = constant 4 : scalar
        %6 = constant 5 : scalar
        %7 = state x : scalar
        %8 = add %7, %1 : scalar
        %9 = neg %7 : scalar
        %10 = final x : scalar
        %11 = abs %10 : scalar
        %12 = variable w : scalar
        %13 = exp %12 : scalar
    """)
    assert len(dead(program).nodes) == len(program.nodes) - 1  # the input alone is not read


def test_functions_that_nobody_calls_are_dropped_with_those_that_only_they_call(graph):
    program = graph("""
        input y : scalar
        output %1

        def inner(v : scalar) = %1
            %0 = argument 0 : scalar
            %1 = abs %0 : scalar

        def called(v : scalar) = %1
            %0 = argument 0 : scalar
            %1 = exp %0 : scalar

        def idle(v : scalar) = %1
            %0 = argument 0 : scalar
            %1 = invoke[inner] %0 : scalar

        %0 = input y : scalar
        %1 = invoke[called] %0 : scalar
    """)
    assert [body.name for body in dead(program).functions] == ["called"]


def test_a_function_called_by_a_called_one_stays(graph):
    program = graph("""
        input y : scalar
        output %1

        def inner(v : scalar) = %1
            %0 = argument 0 : scalar
            %1 = abs %0 : scalar

        def outer(v : scalar) = %1
            %0 = argument 0 : scalar
            %1 = invoke[inner] %0 : scalar

        %0 = input y : scalar
        %1 = invoke[outer] %0 : scalar
    """)
    assert [body.name for body in dead(program).functions] == ["inner", "outer"]
