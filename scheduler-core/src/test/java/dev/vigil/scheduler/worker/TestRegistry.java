package dev.vigil.scheduler.worker;

import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/// A registry that admits everybody who is not blocked.
public final class TestRegistry implements Workers {
    public final Set<UUID> blocked = ConcurrentHashMap.newKeySet();
    public volatile boolean down;

    @Override
    public Admission admission(UUID worker) {
        if (down) {
            return Admission.UNKNOWN;
        }
        return blocked.contains(worker) ? Admission.REFUSED : Admission.ADMITTED;
    }

    @Override
    public boolean mayRun(UUID worker, int namespace, String handler) {
        return !blocked.contains(worker);
    }
}
