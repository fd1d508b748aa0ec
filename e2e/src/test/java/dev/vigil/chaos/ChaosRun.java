package dev.vigil.chaos;

import dev.vigil.chaos.FaultTable.Figure;
import dev.vigil.scheduler.history.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/// A run: a fleet under load, one fault after the other, and at the end what must hold over all of it. A process of its
/// own, so that network, mounts and processes vanish with it.
final class ChaosRun implements AutoCloseable {
    private static final int TASKS_PER_SECOND = 10;
    private static final Duration DRAINED = Duration.ofMinutes(2);
    private static final double DRAIN_BOUND = 30;

    private final FaultTable table = new FaultTable();
    private final Fleet fleet;
    private final Load load;
    private final Battle battle;
    private final Points points;
    private final List<Event.Fault> faults = new ArrayList<>();
    private final long begin = System.nanoTime();

    private ChaosRun(Path folder, boolean apart, int cores, Random chance) throws IOException, SQLException {
        this.fleet = Fleet.start(folder, Lan.make(apart), new Fleet.Size(cores, 2));
        this.load = new Load(fleet.apis(), fleet.caller());
        this.battle = new Battle(fleet, load, chance);
        this.points = new Points(fleet.server().superuser());
    }

    /// @param args a folder, whether this JVM is in a network namespace of its own, a seed, how many faults in random
    /// order
    ///             (0: the short selection), within how many minutes, and a pattern of the faults to choose from
    static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        long seed = Long.parseLong(args[2]);
        int faults = Integer.parseInt(args[3]);
        boolean held;
        try (var run = new ChaosRun(folder, Boolean.parseBoolean(args[1]), faults == 0 ? 2 : 3, new Random(seed))) {
            run.say("seed " + seed);
            run.begin();
            List<Fault> plan = faults == 0 ? run.shortPlan() : run.longPlan(faults, args[5], new Random(seed));
            run.go(plan, Duration.ofMinutes(Long.parseLong(args[4])));
            held = run.finish();
            Files.writeString(folder.resolve("faults.md"), run.report(seed));
        }
        System.exit(held ? 0 : 1);
    }

    private void begin() throws IOException, SQLException, InterruptedException {
        points.install(fleet.truth());
        HistoryFeed.keep(fleet.truth());
        load.start(TASKS_PER_SECOND);
        Waiting.until("tasks are acknowledged", Duration.ofSeconds(30), () -> load.answered("201") > 20);
        say("ready; load is on");
    }

    private List<Fault> all() {
        var faults = new ArrayList<>(new ProcessFaults(battle).all());
        faults.addAll(new DatabaseFaults(battle).all());
        faults.addAll(new PointFaults(battle, points).all());
        fleet.clocks()
                .ifPresentOrElse(
                        clocks -> faults.addAll(new ClockFaults(battle, clocks).all()),
                        () -> table.skipped("clock jumps", "libfaketime (package faketime) is not installed"));
        if (fleet.lan().isApart()) {
            faults.addAll(new NetworkFaults(battle).all());
            faults.add(new DatabaseFaults(battle).diskFull());
        } else {
            table.skipped(
                    "faults of the network, disk full",
                    "they take root, ip, tc and iptables (packages iproute2, iptables)");
        }
        return faults;
    }

    /// Each once in random order, then by weight.
    private List<Fault> longPlan(int count, String pattern, Random chance) {
        List<Fault> kinds =
                all().stream().filter(fault -> fault.name().matches(pattern)).toList();
        if (kinds.isEmpty()) {
            throw new IllegalArgumentException("no fault of a long run is named like " + pattern + "; there are "
                    + all().stream().map(Fault::name).toList());
        }
        var plan = new ArrayList<>(kinds);
        Collections.shuffle(plan, chance);
        var urn = new ArrayList<Fault>();
        kinds.forEach(kind -> urn.addAll(Collections.nCopies(kind.weight(), kind)));
        while (plan.size() < count) {
            plan.add(urn.get(chance.nextInt(urn.size())));
        }
        return plan.subList(0, count);
    }

    private List<Fault> shortPlan() {
        List<String> names = List.of(
                "SIGTERM of a worker that is at work",
                "kill -9 of a core after its dispatch commits, before it sends",
                "SIGSTOP of a worker past its lease",
                "kill -9 of a core before its results commit",
                "partition of worker and cores",
                "partition of core and PostgreSQL",
                "clock of a core +1 h",
                "disk of PostgreSQL full for 6 s",
                "kill -9 of PostgreSQL");
        var plan = new ArrayList<>(
                all().stream().filter(fault -> names.contains(fault.name())).toList());
        plan.add(new DatabaseFaults(battle).shortOutage());
        return plan;
    }

    private void go(List<Fault> plan, Duration most) throws InterruptedException {
        for (Fault fault : plan) {
            if (Waiting.since(begin) > most.toSeconds()) {
                say("time is over: " + table.count() + " of " + plan.size() + " faults tried");
                return;
            }
            tryOne(fault);
        }
    }

    private void tryOne(Fault fault) throws InterruptedException {
        say((table.count() + 1) + ": " + fault.name());
        Instant struck = Instant.now();
        var figures = new ArrayList<Figure>();
        var wrong = new ArrayList<String>();
        try {
            figures.addAll(fault.strike().at());
        } catch (Broken | IOException | SQLException | IllegalStateException failure) {
            wrong.add(String.valueOf(failure.getMessage()));
        }
        try {
            fault.heal().run();
            fleet.awaitReady();
            figures.add(new Figure("drained", load.drained(fleet.truth(), DRAINED), DRAIN_BOUND));
        } catch (Broken | IllegalStateException failure) {
            wrong.add(String.valueOf(failure.getMessage()));
        }
        wrong.addAll(load.wrong());
        faults.add(new Event.Fault(struck, fault.name(), Instant.now()));
        table.tried(fault.name(), figures, wrong);
        say("   " + (wrong.isEmpty() ? "held " : "BROKEN " + wrong + " ") + figures);
    }

    /// What must hold over all of it.
    private boolean finish() throws IOException, SQLException, InterruptedException {
        var wrong = new ArrayList<String>();
        try {
            load.end();
            load.drained(fleet.truth(), DRAINED);
        } catch (Broken late) {
            wrong.add(String.valueOf(late.getMessage()));
        }
        var feed = new HistoryFeed(fleet, load, faults);
        wrong.addAll(new Verdict(fleet.truth(), load, feed).wrong());
        table.wrong(wrong);
        return table.broken().isEmpty();
    }

    private String report(long seed) {
        String text = "seed %d, %d faults in %.0f s, %d tasks acknowledged, answers %s%n%n%s%n%s%n"
                .formatted(
                        seed,
                        table.count(),
                        Waiting.since(begin),
                        load.acknowledged().size(),
                        load.answers(),
                        table.text(),
                        table.broken().isEmpty()
                                ? "Everything held."
                                : "Did not hold:\n- " + String.join("\n- ", table.broken()) + "\n" + fleet.lastWords());
        System.out.println(text);
        return text;
    }

    private void say(String what) {
        System.out.println("%s %6.1f %s".formatted(Instant.now(), Waiting.since(begin), what));
    }

    @Override
    public void close() {
        load.close();
        fleet.close();
    }
}
