from unroll_dsl.passes.common import common


def test_equal_values_become_one_and_keep_the_authors_name(rewrite, lines):
    before = """
        input y : vector[n]
        output %4
        %0 = input y : vector[n]
        %1 = mul %0, %0 : vector[n]
        %2 = mul %0, %0 : vector[n] ; - square
        %3 = add %1, %2 : vector[n]
        %4 = sub %3, %1 : vector[n]
    """
    after = """
        output %3
        %0 = input y : vector[n]
        %1 = mul %0, %0 : vector[n] ; - square
        %2 = add %1, %1 : vector[n]
        %3 = sub %2, %1 : vector[n]
    """
    assert rewrite(common, before) == lines(after)


def test_values_that_become_equal_by_merging_merge_too(rewrite, lines):
    before = """
        fixed A : matrix[m, n]
        output %4
        %0 = fixed A : matrix[m, n]
        %1 = transpose %0 : matrix[n, m]
        %2 = transpose %0 : matrix[n, m]
        %3 = contract %1, %0 : matrix[n, n]
        %4 = contract %2, %0 : matrix[n, n]
    """
    after = """
        output %2
        %0 = fixed A : matrix[m, n]
        %1 = transpose %0 : matrix[n, m]
        %2 = contract %1, %0 : matrix[n, n]
    """
    assert rewrite(common, before) == lines(after)


def test_the_same_operation_at_another_type_stays(rewrite, lines):
    text = """
        output %1, %2
        %0 = constant 0 : scalar
        %1 = expand %0 : vector[n]
        %2 = expand %0 : vector[m]
    """
    assert rewrite(common, text) == lines(text)


def test_an_integer_and_an_equal_real_stay_as_they_are_written(rewrite, lines):
    text = """
        output %2
        %0 = constant 2 : scalar
        %1 = constant 2.0 : scalar
        %2 = pow %0, %1 : scalar
    """
    assert rewrite(common, text) == lines(text)


def test_functions_are_shared_within(rewrite, lines):
    before = """
        input y : scalar
        output %1

        def f(v : scalar) = %3
            %0 = argument 0 : scalar
            %1 = abs %0 : scalar
            %2 = abs %0 : scalar
            %3 = add %1, %2 : scalar

        %0 = input y : scalar
        %1 = invoke[f] %0 : scalar
    """
    after = """
        output %1
        def f(v : scalar) = %2
            %0 = argument 0 : scalar
            %1 = abs %0 : scalar
            %2 = add %1, %1 : scalar
        %0 = input y : scalar
        %1 = invoke[f] %0 : scalar
    """
    assert rewrite(common, before) == lines(after)
