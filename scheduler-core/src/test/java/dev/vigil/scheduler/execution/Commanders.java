package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.execution.ModelRows.Execution;
import dev.vigil.scheduler.task.Commands.Kind;
import dev.vigil.scheduler.task.Lane;
import dev.vigil.scheduler.task.Priority;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// Clients who command: pause, resume, cancel and change what is open, at any time and as often as chance has it.
final class Commanders {
    private final ModelServer server;
    private final World.Host host;
    private final World world;
    private final ModelDatabase database;
    private boolean over;

    Commanders(ModelServer server, World.Host host) {
        this.server = server;
        this.host = host;
        this.world = server.world;
        this.database = server.database;
    }

    /// Commands something, if the database is there.
    void command() {
        if (over || !server.reaches(host)) {
            return;
        }
        execution().ifPresent(one -> {
            UUID task = one.first.task().id();
            switch (world.chance.nextInt(5)) {
                case 0, 1 -> pause(task, one.shard());
                case 2 -> database.commands.command(Kind.CANCEL, one.shard(), one.id());
                default -> change(one);
            }
        });
    }

    private Optional<Execution> execution() {
        List<Execution> open = new ArrayList<>(database.rows.executions.values());
        return open.isEmpty() ? Optional.empty() : Optional.of(open.get(world.chance.nextInt(open.size())));
    }

    /// What is paused is let go on by a next one.
    private void pause(UUID task, int shard) {
        database.commands.command(database.promises.isPaused(task) ? Kind.RESUME : Kind.PAUSE, shard, task);
    }

    private void change(Execution one) {
        TaskFacts task = database.rows.tasks.get(one.first.task().id());
        if (task != null && task.once()) {
            Priority[] all = Priority.values();
            database.commands.patch(task, one.shard(), Lane.of(all[world.chance.nextInt(all.length)], 1));
        }
    }

    /// Nothing is commanded any more, and nothing stays paused.
    void end() {
        over = true;
        for (UUID task : database.promises.paused()) {
            database.rows.shardOf(task).ifPresent(shard -> database.commands.command(Kind.RESUME, shard, task));
        }
    }
}
