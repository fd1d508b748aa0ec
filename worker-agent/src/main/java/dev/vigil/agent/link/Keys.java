package dev.vigil.agent.link;

import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.payload.TaskKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Task keys for the dispatches of a frame: one call to the API for all that are not at hand. A key that came
/// with nothing else is kept for its task for 60 s, counted from when the API gave it and not from its last use, so
/// that a worker that lost its rights loses its keys.
///
/// Safe for use by several threads.
final class Keys {
    private static final long KEPT_NANOS = 60_000_000_000L;
    private static final int KEPT_MAX = 4_096;

    private final WorkerApi api;
    private final Map<Place, Kept> kept = new HashMap<>();

    private record Place(UUID task, int payloadVersion, UUID keyId) {
        static Place of(DispatchRecord dispatch) {
            return new Place(dispatch.task(), dispatch.payloadVersion(), dispatch.keyId());
        }
    }

    private record Kept(TaskKey key, long at) {}

    Keys(WorkerApi api) {
        this.api = api;
    }

    /// The materials of these dispatches, each granted or refused.
    Map<UUID, Material> of(List<DispatchRecord> dispatches) throws IOException, InterruptedException {
        Map<UUID, Material> materials = new HashMap<>();
        var missing = new ArrayList<DispatchRecord>();
        for (DispatchRecord dispatch : dispatches) {
            TaskKey key = atHand(Place.of(dispatch));
            if (key == null) {
                missing.add(dispatch);
            } else {
                materials.put(
                        dispatch.execution(),
                        new Material.Granted(dispatch.execution(), key, Material.Resolved.NOTHING));
            }
        }
        Map<UUID, DispatchRecord> asked = new HashMap<>();
        missing.forEach(dispatch -> asked.put(dispatch.execution(), dispatch));
        while (!missing.isEmpty()) {
            List<Material> answers = api.materials(missing);
            missing.clear();
            for (Material material : answers) {
                DispatchRecord dispatch = asked.get(material.execution());
                if (dispatch == null) {
                    continue;
                }
                // Every answer has at least one that is not put off, so this ends.
                if (material instanceof Material.Refused refused
                        && refused.code().equals(Material.Refused.LATER)) {
                    missing.add(dispatch);
                } else {
                    asked.remove(material.execution());
                    materials.put(material.execution(), material);
                    keep(dispatch, material);
                }
            }
            if (missing.size() == answers.size()) {
                break;
            }
        }
        return materials;
    }

    private synchronized @org.jspecify.annotations.Nullable TaskKey atHand(Place place) {
        Kept found = kept.get(place);
        if (found != null && System.nanoTime() - found.at() < KEPT_NANOS) {
            return found.key();
        }
        kept.remove(place);
        return null;
    }

    private synchronized void keep(DispatchRecord dispatch, Material material) {
        if (material instanceof Material.Granted granted && granted.resolved().isEmpty()) {
            if (kept.size() >= KEPT_MAX) {
                long now = System.nanoTime();
                kept.values().removeIf(old -> now - old.at() >= KEPT_NANOS);
            }
            if (kept.size() < KEPT_MAX) {
                kept.put(Place.of(dispatch), new Kept(granted.key(), System.nanoTime()));
            }
        }
    }

    /// Drops everything: a core or the API said that this worker is not admitted any more.
    synchronized void forget() {
        kept.clear();
    }

    /// Drops what is too old, so that no key outlives its minute because nobody asked for it.
    synchronized void sweep() {
        long now = System.nanoTime();
        kept.values().removeIf(old -> now - old.at() >= KEPT_NANOS);
    }
}
