package dev.vigil.agent.handler;

import static dev.vigil.agent.handler.StopTest.processesWith;
import static dev.vigil.agent.handler.Workplace.outcome;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Nothing runs on when nobody owns it, when the agent is dead, or when it stands still.
class WatchdogTest {
    private static final Duration OWNED_WITHIN = Duration.ofSeconds(1);
    private static final Duration ORPHAN_GRACE = Duration.ofSeconds(3);
    private static final String STUBBORN = """
            read -r run
            token=$(printf '%s' "$run" | sed 's/.*"token":"\\([a-z0-9-]*\\)".*/\\1/')
            trap '' TERM INT HUP
            sh -c "trap '' TERM; : $token; while :; do sleep 1; done" &
            echo '{"progress":0.1,"message":"up"}' >&$VIGIL_FD
            while :; do sleep 1; done
            """;

    @TempDir
    Path folder;

    private Workplace.Folders folders;
    private final String token = "t-" + UUID.randomUUID();

    @BeforeEach
    void handlers() throws IOException {
        folders = Workplace.in(folder).shell("stubborn", "fresh", STUBBORN);
    }

    private Attempt stubborn(Workplace workplace, String name) {
        return workplace.start("stubborn", "{\"token\":\"" + name + "\"}");
    }

    @Test
    void an_execution_that_nobody_owns_is_killed_and_an_owned_one_is_not() throws Exception {
        try (Workplace workplace = folders.open(false, OWNED_WITHIN, ORPHAN_GRACE);
                var owner = Executors.newSingleThreadScheduledExecutor()) {
            Attempt lost = stubborn(workplace, token);
            Attempt kept = stubborn(workplace, "kept");
            var _ = owner.scheduleAtFixedRate(
                    () -> workplace
                            .runner()
                            .ownership()
                            .owned(List.of(kept.request().execution()), Duration.ZERO),
                    0,
                    100,
                    TimeUnit.MILLISECONDS);

            Outcome outcome = outcome(lost);

            assertThat(outcome).isInstanceOf(Outcome.Abandoned.class);
            assertThat(outcome.processGone()).isTrue();
            assertThat(outcome.duration()).isBetween(OWNED_WITHIN, OWNED_WITHIN.plusSeconds(3));
            assertThat(processesWith(token)).isEmpty();
            await().during(Duration.ofSeconds(2)).until(() -> !kept.outcome().isDone());
            kept.cancel(Duration.ZERO);
            assertThat(outcome(kept)).isInstanceOf(Outcome.Cancelled.class);
        }
    }

    @Test
    void while_the_database_is_down_it_may_run_on_for_the_orphan_grace() throws Exception {
        try (Workplace workplace = folders.open(false, OWNED_WITHIN, ORPHAN_GRACE);
                var owner = Executors.newSingleThreadScheduledExecutor()) {
            Attempt orphan = stubborn(workplace, token);
            var _ = owner.scheduleAtFixedRate(
                    () -> workplace
                            .runner()
                            .ownership()
                            .databaseDown(List.of(orphan.request().execution()), Duration.ZERO),
                    0,
                    100,
                    TimeUnit.MILLISECONDS);

            Outcome outcome = outcome(orphan);

            assertThat(outcome).isInstanceOf(Outcome.Abandoned.class);
            assertThat(outcome.duration()).isBetween(ORPHAN_GRACE, ORPHAN_GRACE.plusSeconds(3));
        }
    }

    @Test
    void an_answer_that_was_asked_for_long_ago_extends_nothing() throws Exception {
        try (Workplace workplace = folders.open(false, OWNED_WITHIN, ORPHAN_GRACE);
                var owner = Executors.newSingleThreadScheduledExecutor()) {
            Attempt lost = stubborn(workplace, token);
            var _ = owner.scheduleAtFixedRate(
                    () -> workplace
                            .runner()
                            .ownership()
                            .owned(List.of(lost.request().execution()), OWNED_WITHIN.plusSeconds(1)),
                    0,
                    100,
                    TimeUnit.MILLISECONDS);

            assertThat(outcome(lost).duration()).isBetween(OWNED_WITHIN, OWNED_WITHIN.plusSeconds(3));
        }
    }

    @Test
    void a_killed_agent_leaves_no_process_and_no_control_group() throws Exception {
        try (AgentProcess agent = AgentProcess.start(folder, token, Duration.ofSeconds(30))) {
            assertThat(agent.next()).isEqualTo("up");
            assertThat(processesWith(token)).as("control").isNotEmpty();
            List<Path> groups = groups();
            assertThat(groups).as("control").isNotEmpty();

            agent.signal("KILL");

            await().atMost(Duration.ofSeconds(5))
                    .until(() -> processesWith(token).isEmpty());
            await().atMost(Duration.ofSeconds(5))
                    .until(() -> processesWith(folder + "/").isEmpty());
            assertThat(groups).as("the watchdog was the last to go").noneMatch(Files::exists);
            try (Workplace again = folders.open()) {
                assertThat(again.runner().running()).isEmpty();
                assertThat(groups).noneMatch(Files::exists);
            }
        }
    }

    @Test
    void an_agent_that_stands_still_loses_its_handlers_and_says_so_when_it_goes_on() throws Exception {
        try (AgentProcess agent = AgentProcess.start(folder, token, Duration.ofSeconds(2))) {
            assertThat(agent.next()).isEqualTo("up");
            agent.owned();

            agent.signal("STOP");

            await().atMost(Duration.ofSeconds(10))
                    .until(() -> processesWith(token).isEmpty());
            agent.signal("CONT");
            assertThat(agent.next()).isEqualTo("Abandoned");
        }
    }

    @Test
    void a_watchdog_that_dies_is_started_again_with_all_it_must_know() throws Exception {
        try (Workplace workplace = folders.open(false, Duration.ofSeconds(4), Duration.ofSeconds(8))) {
            Attempt attempt = stubborn(workplace, token);
            await().until(() -> !processesWith(token).isEmpty());
            String first = watchdogs().getFirst();

            new ProcessBuilder("/bin/sh", "-c", "kill -KILL " + first).start().waitFor();

            await().until(() -> !watchdogs().isEmpty() && !watchdogs().contains(first));
            assertThat(outcome(attempt)).as("the new one ends it").isInstanceOf(Outcome.Abandoned.class);
            assertThat(processesWith(token)).isEmpty();
        }
    }

    private List<String> watchdogs() throws IOException {
        return processesWith(folder + "/state/sandbox/watchdog");
    }

    /// The control groups of sandboxes of the agent over this folder.
    private List<Path> groups() throws IOException {
        var groups = new ArrayList<Path>();
        for (String home : Files.readAllLines(folder.resolve("state/sandbox/cgroups"))) {
            try (Stream<Path> children = Files.list(Path.of(home))) {
                children.filter(Files::isDirectory).forEach(groups::add);
            }
        }
        return groups;
    }
}
