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
    private final WorkerApi api;
    private final KeptKeys kept = new KeptKeys(System::nanoTime);

    Keys(WorkerApi api) {
        this.api = api;
    }

    /// The materials of these dispatches, each granted or refused.
    Map<UUID, Material> of(List<DispatchRecord> dispatches) throws IOException, InterruptedException {
        Map<UUID, Material> materials = new HashMap<>();
        var missing = new ArrayList<DispatchRecord>();
        for (DispatchRecord dispatch : dispatches) {
            TaskKey key = kept.find(dispatch).orElse(null);
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
            long askedAt = kept.now();
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
                    keep(dispatch, material, askedAt);
                }
            }
            if (missing.size() == answers.size()) {
                break;
            }
        }
        return materials;
    }

    /// Secrets are asked for each time.
    private void keep(DispatchRecord dispatch, Material material, long askedAt) {
        if (material instanceof Material.Granted granted && granted.resolved().isEmpty()) {
            kept.keep(dispatch, granted.key(), askedAt);
        }
    }

    /// The keys that are at hand, to drop them.
    KeptKeys kept() {
        return kept;
    }
}
