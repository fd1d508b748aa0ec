package dev.vigil.scheduler.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vigil.postgres.Role;
import dev.vigil.scheduler.TestDatabase;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

/// A client that writes each statement out once, against Spring's own.
class StatementsTest {
    private static final TestDatabase DATABASE = new TestDatabase();

    private final JdbcClient db = Statements.over(DATABASE.source(Role.API));
    private final JdbcClient springs = JdbcClient.create(DATABASE.source(Role.API));

    @Test
    void parameters_go_by_name_wherever_and_however_often_they_stand() {
        String statement = """
                SELECT :b::text || :a || ':c' || :b /* :d */ || (:id::uuid IS NULL) -- :e
                """;
        for (int call = 0; call < 3; call++) {
            assertThat(List.of(text(db, statement, "x" + call), text(springs, statement, "x" + call)))
                    .containsOnly("rightx" + call + ":crighttrue");
        }
    }

    private static String text(JdbcClient client, String statement, String a) {
        return client.sql(statement)
                .param("a", a)
                .param("b", "right")
                .param("id", null)
                .query(String.class)
                .single();
    }

    @Test
    void arrays_and_times_and_collections_of_another_length_each_time_come_as_they_are() {
        UUID id = new UUID(1, 2);
        assertThat(db.sql("SELECT :ids::uuid[] @> ARRAY[:id] AND :numbers::int[] = ARRAY[1, 2]")
                        .params(new Columns<>(List.of(1, 2))
                                .add("numbers", new Integer[0], number -> number)
                                .add("ids", new UUID[0], number -> new UUID(1, number))
                                .arrays())
                        .param("id", id)
                        .query(Boolean.class)
                        .single())
                .isTrue();
        for (List<Integer> some : Arrays.asList(List.of(1), List.of(1, 2, 3))) {
            assertThat(db.sql("SELECT n FROM unnest(ARRAY[1, 2, 3, 4]) AS v(n) WHERE n IN (:some)")
                            .param("some", some)
                            .query(Integer.class)
                            .list())
                    .isEqualTo(some);
        }
    }

    @Test
    void a_parameter_that_is_missing_and_a_statement_that_fails_are_told_as_spring_tells_them() {
        assertThatThrownBy(() -> db.sql("SELECT :wanted::int")
                        .param("other", 1)
                        .query(Integer.class)
                        .single())
                .hasMessageContaining("wanted");
        Class<?> springsFailure = failure(springs);
        assertThat(failure(db)).isEqualTo(springsFailure).isAssignableTo(DataAccessException.class);
    }

    private static Class<?> failure(JdbcClient client) {
        try {
            return client.sql("SELECT 1 / :zero")
                    .param("zero", 0)
                    .query(Integer.class)
                    .single()
                    .getClass();
        } catch (DataAccessException failure) {
            return failure.getClass();
        }
    }

    @Test
    void a_change_answers_how_many_rows_it_reached() {
        assertThat(db.sql("UPDATE scheduler.quota SET used = used WHERE owner = :owner")
                        .param("owner", new UUID(3, 4))
                        .update())
                .isZero();
    }
}
