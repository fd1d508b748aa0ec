package dev.vigil.agent.link;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.random.RandomGenerator;

/// The cores that this worker knows. Belongs to the link's thread; only [#connected()] may be asked from elsewhere.
final class CoreTable {
    private final Map<UUID, CoreState> cores = new HashMap<>();
    private volatile int connected;

    /// Takes in the list of live cores. One that is not listed is dropped once its connection is gone too, for the
    /// list may be behind.
    void are(List<CoreAddress> live, RandomGenerator jitter) {
        Set<UUID> listed = new HashSet<>();
        for (CoreAddress address : live) {
            listed.add(address.incarnation());
            cores.computeIfAbsent(address.incarnation(), id -> new CoreState(address, jitter));
        }
        cores.values()
                .removeIf(core -> !listed.contains(core.address().incarnation())
                        && core.active().isEmpty()
                        && core.next().isEmpty());
    }

    Optional<CoreState> find(UUID incarnation) {
        return Optional.ofNullable(cores.get(incarnation));
    }

    /// Whether this core is connected.
    boolean speaks(UUID incarnation) {
        return find(incarnation).flatMap(CoreState::active).isPresent();
    }

    /// A copy, so that visitors may end connections.
    List<CoreState> all() {
        return List.copyOf(cores.values());
    }

    /// Visits every connection that speaks.
    void each(BiConsumer<CoreState, CoreConnection> visitor) {
        for (CoreState core : all()) {
            core.active().ifPresent(connection -> visitor.accept(core, connection));
        }
    }

    List<CoreConnection> active() {
        var active = new ArrayList<CoreConnection>();
        each((core, connection) -> active.add(connection));
        return active;
    }

    static List<CoreConnection> connections(CoreState core) {
        var both = new ArrayList<CoreConnection>(2);
        core.active().ifPresent(both::add);
        core.next().ifPresent(both::add);
        return both;
    }

    /// Whether this connection is in use; a closed one must not be touched again.
    static boolean known(CoreState core, CoreConnection connection) {
        return connections(core).contains(connection);
    }

    /// Counts anew after a connection came or went.
    void count() {
        connected = active().size();
    }

    int connected() {
        return connected;
    }
}
