package dev.vigil.api.vault;

import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import java.io.UncheckedIOException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Puts another root key in place: wraps the few dozen keys anew that the old one wraps. Data keys, payloads and
/// results stay as they are. The old key is kept until nothing is wrapped by it; every step may be repeated.
final class RootKeyRotation {
    private static final Logger LOG = LoggerFactory.getLogger(RootKeyRotation.class);

    private final RootKeys roots;
    private final MasterKeys masters;
    private final TombstoneFile tombstones;
    private final VaultStore store;

    RootKeyRotation(RootKeys roots, MasterKeys masters, TombstoneFile tombstones, VaultStore store) {
        this.roots = roots;
        this.masters = masters;
        this.tombstones = tombstones;
        this.store = store;
    }

    /// How a rotation ended.
    ///
    /// @param rootKey   name of the key in force
    /// @param rewrapped how many keys were wrapped anew
    /// @param retired   false when the old key's file could not be moved; the log says what to do
    record Rotated(String rootKey, int rewrapped, boolean retired) {}

    /// Goes on with a rotation that a crash cut short.
    void resume() {
        if (roots.isRotating()) {
            Rotated rotated = rotate(null);
            LOG.warn("event=root_key_rotation_resumed root_key={} rewrapped={}", rotated.rootKey, rotated.rewrapped);
        }
    }

    /// Changes to another root key.
    ///
    /// @param by who asked for it; null when it goes on by itself
    /// @throws VaultException when there is no key to change to, or a key does not unwrap; then nothing has changed
    synchronized Rotated rotate(@Nullable UUID by) {
        KeyWrapper next = roots.advance();
        int rewrapped = masters.rewrap(next, count -> {
            AuditEvent event = store.events()
                    .event(EventType.KEY_ROTATED, "rotate_root_key", Result.SUCCESS)
                    .with("root_key", next.rootKey())
                    .with("keys", (long) count);
            store.events().append(by == null ? event : event.user(by));
        });
        tombstones.rewrap(next);
        return new Rotated(next.rootKey(), rewrapped, retire());
    }

    private boolean retire() {
        try {
            roots.retire();
            return true;
        } catch (UncheckedIOException e) {
            LOG.error("event=root_key_not_retired reason=\"{}\"", e.getMessage(), e);
            return false;
        }
    }
}
