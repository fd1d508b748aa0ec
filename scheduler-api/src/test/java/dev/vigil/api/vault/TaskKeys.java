package dev.vigil.api.vault;

import dev.vigil.api.Api;
import dev.vigil.protocol.payload.TaskKey;
import java.util.UUID;

/// The key of a task, as a worker would get it.
public final class TaskKeys {
    private TaskKeys() {}

    public static TaskKey of(Api api, Place place, UUID keyId) {
        return ((PayloadSealer.KeyOf.Known)
                        api.context().getBean(PayloadSealer.class).taskKey(place, keyId))
                .key();
    }
}
