package dev.vigil.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each rule of [ArchitectureRules] and [EarnedPublic] against a planted violation and its nearest allowed neighbour.
class ArchitectureRulesTest {
    @TempDir
    private Path folder;

    private Planted planted;

    @BeforeEach
    void an_empty_project() {
        planted = new Planted(folder);
    }

    @Test
    void a_module_that_knows_one_beside_it_is_named() {
        main("package dev.vigil.audit.log; public class Tree {}");
        main("package dev.vigil.gdpr.request; class Export { dev.vigil.audit.log.Tree tree; }");
        main("package dev.vigil.protocol.id; public class Id {}");
        main("package dev.vigil.gdpr.subject; class Subject { dev.vigil.protocol.id.Id id; }");

        assertThat(ArchitectureRules.modules(planted.classes()))
                .containsExactly("gdpr.request.Export uses audit.log.Tree, but gdpr may know edge, protocol only: "
                        + "move what both need to protocol, or turn the call round");
    }

    @Test
    void a_layer_of_the_engine_that_knows_one_above_is_named() {
        main("package dev.vigil.scheduler.task; public class Tasks {}");
        main("package dev.vigil.scheduler.worker; public class Sessions { dev.vigil.scheduler.task.Tasks down; }");
        main("package dev.vigil.scheduler.execution; class Dispatcher { dev.vigil.scheduler.worker.Sessions up; }");

        assertThat(ArchitectureRules.engine(planted.classes()))
                .singleElement()
                .asString()
                .startsWith("scheduler.execution.Dispatcher uses scheduler.worker.Sessions: ")
                .endsWith("declare what is needed as an interface below and let the upper one fill it");
    }

    @Test
    void two_packages_that_know_each_other_are_named() {
        main("package dev.vigil.audit.log; public class A { dev.vigil.audit.query.B b; }");
        main("package dev.vigil.audit.query; public class B { dev.vigil.audit.log.A a; }");

        assertThat(ArchitectureRules.cycles(planted.classes()))
                .singleElement()
                .asString()
                .contains("audit.log", "audit.query", "Break it");
    }

    @Test
    void a_library_in_protocol_is_named_the_jdk_is_not() {
        main("package org.library; public class Thing {}");
        main(
                "package dev.vigil.protocol.id; class Id { org.library.Thing thing; javax.crypto.Mac mac; byte[][] bytes; }");

        assertThat(ArchitectureRules.protocolUsesTheJdkOnly(planted.classes()))
                .containsExactly("protocol.id.Id uses org.library.Thing, but protocol is JDK only, "
                        + "so that an auditor needs nothing else: do it with the JDK or in the caller");
    }

    @Test
    void names_that_say_nothing_are_named() {
        main("package dev.vigil.a; class TaskManager {}");
        main("package dev.vigil.a; class TaskDto {}");
        main("package dev.vigil.a; class BaseTask {}");
        main("package dev.vigil.a; class Utilities {}");
        main("package dev.vigil.a.util; class Baseline {}");

        assertThat(ArchitectureRules.names(planted.classes()))
                .hasSize(4)
                .anyMatch(line -> line.startsWith("dev.vigil.a.TaskManager: "))
                .anyMatch(line -> line.startsWith("dev.vigil.a.TaskDto: "))
                .anyMatch(line -> line.startsWith("dev.vigil.a.BaseTask: "))
                .contains("dev.vigil.a.util: a package is named by its feature, not by its layer");
    }

    @Test
    void clocks_and_chance_that_are_not_handed_in_are_named() {
        main("""
                package dev.vigil.a;
                class Due {
                    java.time.Instant now() { return java.time.Instant.now(); }
                    long millis() { return System.currentTimeMillis(); }
                    java.util.function.Supplier<java.time.Instant> reference() { return java.time.Instant::now; }
                    long elapsed() { return System.nanoTime(); }
                    java.time.Instant given(java.time.Clock clock) { return java.time.Instant.now(clock); }
                    double chance() { return Math.random(); }
                    int guess() { return new java.security.SecureRandom().nextInt(); }
                }
                """);

        assertThat(ArchitectureRules.clocks(planted.classes()))
                .containsExactlyInAnyOrder(
                        "dev.vigil.a.Due (line 3) calls java.time.Instant.now(): "
                                + "take an InstantSource in the constructor, so that a test owns the time",
                        "dev.vigil.a.Due (line 4) calls java.lang.System.currentTimeMillis(): "
                                + "take an InstantSource in the constructor, so that a test owns the time",
                        "dev.vigil.a.Due (line 5) calls java.time.Instant.now(): "
                                + "take an InstantSource in the constructor, so that a test owns the time");
        assertThat(ArchitectureRules.chance(planted.classes()))
                .containsExactly("dev.vigil.a.Due (line 8) calls java.lang.Math.random(): "
                        + "take a RandomGenerator in the constructor, or SecureRandom where a stranger must not guess");
    }

    @Test
    void wiring_may_read_the_clock() {
        main("package org.springframework.context.annotation; public @interface Configuration {}");
        main("""
                package dev.vigil.a;
                @org.springframework.context.annotation.Configuration
                class Wiring {
                    java.time.InstantSource time() { return java.time.InstantSource.system(); }
                }
                """);

        assertThat(ArchitectureRules.clocks(planted.classes())).isEmpty();
    }

    @Test
    void sql_beside_a_socket_is_named() {
        main("package org.zeromq; public class ZMQ {}");
        main("package dev.vigil.a; class Link { org.zeromq.ZMQ socket; java.sql.Connection database; }");
        main("package dev.vigil.a; class Tasks { java.sql.Connection database; }");

        assertThat(ArchitectureRules.databaseBesideNetwork(planted.classes()))
                .containsExactly("dev.vigil.a.Link speaks to the database and to the network: "
                        + "SQL lives in a store, no call leaves inside a transaction");
    }

    @Test
    void jpa_outside_access_is_named() {
        main("package jakarta.persistence; public class EntityManager {}");
        main("package dev.vigil.api.access; class Users { jakarta.persistence.EntityManager jpa; }");
        main("package dev.vigil.api.task; class Tasks { jakarta.persistence.EntityManager jpa; }");

        assertThat(ArchitectureRules.jpa(planted.classes()))
                .containsExactly(
                        "dev.vigil.api.task.Tasks uses JPA, which is for api.access: write the SQL with JdbcClient");
    }

    @Test
    void a_public_type_that_nobody_else_uses_is_named() {
        main("package dev.vigil.a; public class Alone {}");
        main("package dev.vigil.a; class Neighbour { Alone alone; }");

        assertThat(publicUnearned())
                .containsExactly("dev.vigil.a.Alone is public, but no other package uses it: make it package-private");
    }

    @Test
    void public_is_earned_by_a_nested_case_a_constant_a_result_nobody_names_and_a_test() {
        main("package dev.vigil.a; public sealed interface Outcome { record Done() implements Outcome {} }");
        main("package dev.vigil.a; public class Limits { public static final int MAX = 5; }");
        main("package dev.vigil.a; public class Tasks { public Answer ask() { return new Answer(); } }");
        main("package dev.vigil.a; public class Answer { public int size() { return 1; } }");
        main("package dev.vigil.a; public class Probed {}");
        main("""
                package dev.vigil.b;
                import dev.vigil.a.Limits;
                class Caller {
                    Object done = new dev.vigil.a.Outcome.Done();
                    int max = Limits.MAX;
                    int size(dev.vigil.a.Tasks tasks) { return tasks.ask().size(); }
                }
                """);
        planted.test("core", "package dev.vigil.b; class ProbedTest { dev.vigil.a.Probed probed; }");

        assertThat(publicUnearned()).isEmpty();
    }

    private Iterable<String> publicUnearned() {
        return new EarnedPublic(planted.classes(), planted.sources())
                .violations()
                .toList();
    }

    private void main(String text) {
        planted.main("core", text);
    }
}
