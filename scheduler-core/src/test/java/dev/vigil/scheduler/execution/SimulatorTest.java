package dev.vigil.scheduler.execution;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.scheduler.history.Event;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;

/// The engine's own code in virtual time, against crashes, delays, duplicates, pauses and jumps of clocks. A seed that
/// fails is named, and `-Dvigil.sim.seed=N` plays it alone, with what the engine logs.
class SimulatorTest {
    private static final String ENGINE = "dev.vigil.scheduler.execution";
    private static final int SEEDS = 10_000;

    @BeforeAll
    static void quiet() {
        if (Long.getLong("vigil.sim.seed") == null) {
            logging(LogLevel.OFF);
        }
    }

    @AfterAll
    static void loud() {
        logging(LogLevel.INFO);
    }

    private static void logging(LogLevel level) {
        LoggingSystem.get(SimulatorTest.class.getClassLoader()).setLogLevel(ENGINE, level);
    }

    @Test
    void ten_thousand_seeds_keep_every_promise() {
        Long one = Long.getLong("vigil.sim.seed");
        LongStream seeds = one == null ? LongStream.range(0, SEEDS) : LongStream.of(one);
        var failures = new ConcurrentLinkedQueue<String>();
        seeds.parallel().forEach(seed -> {
            List<String> wrong = new Simulation(seed).run();
            if (!wrong.isEmpty()) {
                failures.add("-Dvigil.sim.seed=" + seed + ": " + String.join("; ", wrong));
            }
        });

        assertThat(failures).isEmpty();
    }

    @Test
    void a_seed_replays_event_by_event() {
        var first = new Simulation(4711);
        var second = new Simulation(4711);
        first.run();
        second.run();

        assertThat(first.history()).hasSizeGreaterThan(50).isEqualTo(second.history());
    }

    @Test
    void a_seed_replays_whatever_hashes_its_objects_have() throws Exception {
        var histories = new HashSet<String>();
        for (int i = 0; i < 6; i++) {
            // Enums have other hashes then, as they have in each process.
            Class<?> simulation =
                    new ClassesAnew("dev.vigil.scheduler.", (name, code) -> code).loadClass(Simulation.class.getName());
            Constructor<?> constructor = simulation.getDeclaredConstructor(long.class);
            constructor.setAccessible(true);
            Object one = constructor.newInstance(4014);
            call(one, "run");
            histories.add(call(one, "history").toString());
        }

        assertThat(histories).hasSize(1);
    }

    private static Object call(Object simulation, String name) throws ReflectiveOperationException {
        Method method = simulation.getClass().getDeclaredMethod(name);
        method.setAccessible(true);
        return method.invoke(simulation);
    }

    @Test
    void runs_have_faults_retries_takeovers_and_missed_occurrences() {
        List<Event> all = LongStream.range(0, 100)
                .boxed()
                .flatMap(seed -> {
                    var simulation = new Simulation(seed);
                    simulation.run();
                    return simulation.history().stream();
                })
                .toList();

        assertThat(all)
                .hasAtLeastOneElementOfType(Event.Paused.class)
                .hasAtLeastOneElementOfType(Event.DatabaseClock.class)
                .hasAtLeastOneElementOfType(Event.Limit.class)
                .hasAtLeastOneElementOfType(Event.Again.class);
        assertThat(all.stream().filter(Event.Ended.class::isInstance).map(Event.Ended.class::cast))
                .anyMatch(end -> end.losses() > 0)
                .anyMatch(end -> end.attempts() > 1);
    }

    @ParameterizedTest
    @MethodSource("mutants")
    void a_rule_broken_on_purpose_is_found(Mutant mutant) throws ReflectiveOperationException {
        assertThat(mutant.firstThatFinds(300)).describedAs(mutant.what()).isNotNegative();
    }

    /// Rules of the engine.
    static Stream<Mutant> mutants() {
        return Mutants.all();
    }
}
