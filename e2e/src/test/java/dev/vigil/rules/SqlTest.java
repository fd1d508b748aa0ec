package dev.vigil.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The statements of all modules; and each rule against a planted violation.
class SqlTest {
    private static final List<Source> PROJECT = Sources.ofProject();

    @TempDir
    private Path folder;

    @Test
    void a_module_names_its_own_schema_only() {
        assertThat(PROJECT.stream().flatMap(SqlRules::foreignSchemas)).isEmpty();
    }

    @Test
    void every_table_stands_with_its_schema() {
        assertThat(PROJECT.stream().flatMap(SqlRules::unqualifiedTables)).isEmpty();
    }

    @Test
    void parameters_have_names_and_nothing_handed_in_becomes_a_statement() {
        assertThat(PROJECT.stream().flatMap(SqlRules::positionalParameters)).isEmpty();
        assertThat(PROJECT.stream().flatMap(SqlRules::composedStatements)).isEmpty();
    }

    @Test
    void a_planted_foreign_schema_is_named_an_outbox_is_open_to_the_audit_service() {
        assertThat(violations(SqlRules::foreignSchemas, "SELECT state FROM gdpr.request WHERE 'access.user' = :name"))
                .containsExactly(
                        "audit-service/src/main/java/a/A.java:3: the statement names gdpr.request, but audit-service "
                                + "owns [audit]: ask the owner's module, or give the answer a place in your schema");
        assertThat(violations(SqlRules::foreignSchemas, "SELECT events FROM gdpr.outbox"))
                .isEmpty();
        assertThat(violations(SqlRules::foreignSchemas, "The service gdpr.request is away"))
                .isEmpty();
    }

    @Test
    void a_planted_table_without_schema_is_named() {
        assertThat(violations(SqlRules::unqualifiedTables, "SELECT 1 FROM entry JOIN audit.leaf USING (id)"))
                .containsExactly(
                        "audit-service/src/main/java/a/A.java:3: the statement names table entry without its schema: "
                                + "write schema.entry");
        assertThat(violations(SqlRules::unqualifiedTables, "UPDATE entry SET n = 1"))
                .hasSize(1);
        assertThat(violations(
                        SqlRules::unqualifiedTables,
                        "WITH due AS (SELECT id FROM audit.leaf FOR UPDATE), gone (id) AS MATERIALIZED (SELECT 1) "
                                + "INSERT INTO audit.entry SELECT extract(epoch FROM at) FROM due JOIN gone ON due.id IS "
                                + "DISTINCT FROM gone.id, unnest(:ids) ON CONFLICT DO UPDATE SET n = excluded.n"))
                .isEmpty();
    }

    @Test
    void a_planted_question_mark_and_a_composed_statement_are_named() {
        assertThat(violations(SqlRules::positionalParameters, "SELECT 1 FROM audit.leaf WHERE id = ?"))
                .containsExactly("audit-service/src/main/java/a/A.java:3: the statement counts its parameters: "
                        + "name them, :like_this");
        assertThat(violations(SqlRules::positionalParameters, "SELECT 1 FROM audit.leaf WHERE id = '?'"))
                .isEmpty();
        assertThat(composed("\"SELECT 1 FROM \" + table")).hasSize(1);
        assertThat(composed("\"SELECT 1 FROM %s\".formatted(table)")).hasSize(1);
        assertThat(composed("\"SELECT %s FROM %s\".formatted(table == null ? COLUMNS : A.ONE, (\"x\"))"))
                .isEmpty();
        assertThat(composed("\"the rows of \" + table")).isEmpty();
    }

    @Test
    void a_part_that_is_handed_in_privately_must_be_a_constant_at_every_call() {
        String query = "    private String query(String part) { return \"SELECT 1 FROM x %s\".formatted(part); }\n";
        String answer = "    private String part(boolean all) { return all ? \"\" : \"WHERE a\"; }\n";

        assertThat(composedIn(query + "    void f() { query(\"WHERE b\"); query(part(true)); }\n" + answer))
                .isEmpty();
        assertThat(composedIn(query + "    void f(String a) { query(\"WHERE b\"); query(a); }\n"))
                .hasSize(1);
        assertThat(composedIn(query.replace("private ", "") + "    void f() { query(\"WHERE b\"); }\n"))
                .hasSize(1);
    }

    private List<String> composedIn(String members) {
        var source = new Planted(folder).main("audit-service", "package a;\nclass A {\n" + members + "}\n");
        return source.sources().stream().flatMap(SqlRules::composedStatements).toList();
    }

    private List<String> violations(Function<Source, Stream<String>> rule, String statement) {
        return violationsOf(rule, "\"" + statement + "\"");
    }

    private List<String> composed(String expression) {
        return violationsOf(SqlRules::composedStatements, expression);
    }

    private List<String> violationsOf(Function<Source, Stream<String>> rule, String expression) {
        var planted = new Planted(folder)
                .main(
                        "audit-service",
                        "package a;\nclass A {\n    String f(String table) { return " + expression + "; }\n}\n");
        return planted.sources().stream().flatMap(rule).toList();
    }
}
