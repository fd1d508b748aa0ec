package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.World.Host;
import dev.vigil.scheduler.history.Event;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// What goes wrong in the large: one kind at a time, chosen by chance.
final class Incidents {
    private static final int KINDS = 12;

    private final Simulation simulation;
    private final World world;
    private final ModelServer server;

    Incidents(Simulation simulation) {
        this.simulation = simulation;
        this.world = simulation.world();
        this.server = simulation.server();
    }

    void happen() {
        switch (world.chance.nextInt(KINDS)) {
            case 0 -> core().ifPresent(this::kill);
            case 1 -> core().ifPresent(core -> core.host.pause(until(25)));
            case 2 ->
                core().ifPresent(core ->
                        core.leave(() -> world.after(shortly(), simulation.clients(), () -> again(core))));
            case 3 -> worker().ifPresent(this::kill);
            case 4 -> worker().ifPresent(this::pauseMachine);
            case 5 -> worker().ifPresent(worker -> worker.agent.pause(until(40)));
            case 6 ->
                worker().ifPresent(worker ->
                        worker.drain(() -> world.after(shortly(), simulation.clients(), () -> again(worker))));
            case 7 -> server.downFor(until(30) - world.now());
            case 8 -> core().ifPresent(this::partFromDatabase);
            case 9 -> part();
            case 10 -> simulation.step(Duration.ofMillis(world.chance.nextInt(-20_000, 60_000)));
            default -> {
                core().ifPresent(this::kill);
                worker().ifPresent(this::kill);
            }
        }
    }

    /// A worker and the core that it works for hear each other and nobody else.
    void leaveAlone() {
        List<ModelWorker> busy = simulation.workers().stream()
                .filter(worker -> worker.employer().isPresent())
                .toList();
        if (busy.isEmpty()) {
            return;
        }
        ModelWorker worker = busy.get(world.chance.nextInt(busy.size()));
        ModelCore employer = worker.employer().orElseThrow();
        long until = world.now() + world.millis(55_000, 75_000);
        simulation.cores().stream().filter(core -> core != employer).forEach(core -> {
            worker.to(core).part(until);
            worker.from(core).part(until);
            if (world.happens(0.5)) {
                // For a moment it is heard, and hears nothing.
                world.after(world.millis(8_000, 40_000), simulation.clients(), () -> {
                    worker.to(core).part(0);
                    world.after(
                            1_500 * World.MILLI,
                            simulation.clients(),
                            () -> worker.to(core).part(until));
                });
            }
        });
        server.part(employer.host, true);
        world.after(until - world.now(), simulation.clients(), () -> server.part(employer.host, false));
    }

    /// Another core comes and takes its share, a worker hears nothing of it, and the core that gives something of this
    /// worker away loses the database about then.
    ///
    /// @param run what is to be given away
    void handOver(UUID run) {
        List<ModelWorker> busy = simulation.workers().stream()
                .filter(worker -> worker.isRunning(run))
                .toList();
        if (busy.isEmpty()) {
            return;
        }
        ModelWorker worker = busy.getFirst();
        ModelCore giving = simulation.cores().getFirst();
        simulation.startCore("core-1");
        ModelCore taking = simulation.cores().getLast();
        long until = world.now() + world.millis(55_000, 75_000);
        worker.to(taking).part(until);
        worker.from(taking).part(until);
        world.after(world.millis(1_000, 8_000), simulation.clients(), () -> server.part(giving.host, true));
        world.after(until - world.now(), simulation.clients(), () -> server.part(giving.host, false));
    }

    /// A time at most so many seconds ahead, and not beyond the end of all faults.
    private long until(int seconds) {
        return Math.min(simulation.healAt(), world.now() + world.millis(100, seconds * 1_000L));
    }

    private long shortly() {
        return world.millis(0, 8_000);
    }

    private Optional<ModelCore> core() {
        List<ModelCore> all = simulation.cores();
        all.removeIf(core -> core.host.isGone());
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(world.chance.nextInt(all.size())));
    }

    private Optional<ModelWorker> worker() {
        List<ModelWorker> all = simulation.workers();
        all.removeIf(worker -> worker.agent.isGone());
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(world.chance.nextInt(all.size())));
    }

    private void kill(ModelCore core) {
        core.host.kill();
        world.after(shortly(), simulation.clients(), () -> again(core));
    }

    private void again(ModelCore core) {
        simulation.startCore(core.host.name);
    }

    private void kill(ModelWorker worker) {
        worker.kill();
        world.after(shortly(), simulation.clients(), () -> again(worker));
    }

    private void again(ModelWorker worker) {
        simulation.startWorker(worker.machine, worker.boot.worker());
    }

    private void pauseMachine(ModelWorker worker) {
        long until = until(40);
        worker.machine.pause(until);
        world.tell(new Event.Paused(world.time(), worker.machine.name, World.time(until)));
    }

    private void partFromDatabase(ModelCore core) {
        Host host = core.host;
        server.part(host, true);
        world.after(until(20) - world.now(), simulation.clients(), () -> server.part(host, false));
    }

    private void part() {
        core().ifPresent(core -> worker().ifPresent(worker -> {
            int direction = world.chance.nextInt(3);
            long until = until(30);
            if (direction != 0) {
                worker.to(core).part(until);
            }
            if (direction != 1) {
                worker.from(core).part(until);
            }
        }));
    }
}
