package dev.vigil.scheduler.execution;

import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// All open executions of a core by their id, and the loop that each belongs to: what the link's thread asks.
///
/// For use by many threads at once.
final class OpenIndex {
    private final Map<UUID, Entry> entries = new ConcurrentHashMap<>();

    @Nullable Entry find(UUID execution) {
        return entries.get(execution);
    }

    /// The part of one loop.
    Part part(int loop) {
        return new Part(loop);
    }

    /// Where an open execution is.
    record Entry(Open open, int loop) {}

    /// What one loop enters.
    final class Part {
        private final int loop;

        private Part(int loop) {
            this.loop = loop;
        }

        @Nullable Open find(UUID execution) {
            Entry entry = entries.get(execution);
            return entry == null || entry.loop != loop ? null : entry.open;
        }

        void put(Open open) {
            entries.put(open.id(), new Entry(open, loop));
        }

        /// Whatever is none of these any more is taken out.
        void retain(Predicate<Open> current) {
            entries.values().removeIf(entry -> entry.loop == loop && !current.test(entry.open));
        }

        /// A successor under the same id stays.
        void remove(Open open) {
            entries.computeIfPresent(open.id(), (id, entry) -> entry.open() == open ? null : entry);
        }
    }
}
