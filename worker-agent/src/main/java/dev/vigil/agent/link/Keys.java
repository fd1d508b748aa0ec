package dev.vigil.agent.link;

import dev.vigil.protocol.link.DispatchRecord;
import dev.vigil.protocol.payload.TaskKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// Task keys for the dispatches of a frame: what is not at hand is asked for in one call to the API. A key that came
/// with nothing else is kept for its task for 60 s, counted from when the API gave it and not from its last use, so
/// that a worker that lost its rights loses its keys.
///
/// Safe for use by several threads.
final class Keys {
    private final KeyCalls calls;
    private final KeptKeys kept = new KeptKeys(System::nanoTime);

    Keys(KeyCalls calls) {
        this.calls = calls;
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
        if (!missing.isEmpty()) {
            long askedAt = kept.now();
            Map<UUID, Material> answers = calls.of(missing);
            for (DispatchRecord dispatch : missing) {
                Material material = answers.get(dispatch.execution());
                if (material != null) {
                    materials.put(dispatch.execution(), material);
                    keep(dispatch, material, askedAt);
                }
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
