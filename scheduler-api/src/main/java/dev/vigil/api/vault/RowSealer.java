package dev.vigil.api.vault;

import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.payload.Purpose;
import dev.vigil.protocol.payload.SealBrokenException;
import dev.vigil.protocol.payload.SealContext;
import dev.vigil.protocol.payload.TaskKey;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Seals values that lie in a row of their own, such as secrets and tokens. Each has a key of its own, derived from the
/// namespace's data key of the month or from the subject's, and opens in its row only.
final class RowSealer {
    private final DataKeys keys;
    private final VaultStore store;

    RowSealer(DataKeys keys, VaultStore store) {
        this.keys = keys;
        this.store = store;
    }

    /// The row that a sealed value belongs to; all of it is authenticated.
    ///
    /// @param version of the value, from 1
    /// @param name    what it is called: a secret's name, a token's kind, the handler that a field is for
    record Row(Purpose purpose, int namespace, UUID id, int version, String name) {
        private SealContext context(UUID keyId) {
            return new SealContext(purpose, namespace, id, version, name, keyId);
        }
    }

    /// A sealed value and the data key behind it.
    record Sealed(UUID keyId, byte[] record) {}

    /// Seals a value.
    ///
    /// @param subject blind index of the person it is about; null when it is about nobody
    /// @throws SubjectUnderErasureException while that subject is being erased
    Sealed seal(Row row, byte @Nullable [] subject, byte[] value) {
        DataKeys.SealingKey key =
                keys.forSealing(row.namespace, subject).orElseThrow(SubjectUnderErasureException::new);
        return new Sealed(
                key.id(), TaskKey.derive(key.key(), row.id, row.version).seal(row.context(key.id()), value));
    }

    /// Opens a value. One that was changed or moved stays shut and is an event.
    ///
    /// @return empty when it does not open, or its subject was erased
    Optional<byte[]> open(Row row, Sealed sealed) {
        Optional<TaskKey> key = key(row, sealed.keyId);
        if (key.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(key.get().open(row.context(sealed.keyId), sealed.record));
        } catch (SealBrokenException _) {
            broken(row, "seal_broken");
            return Optional.empty();
        }
    }

    /// The key that opens the value of one row and no other.
    ///
    /// @return empty when it is destroyed, or no key of that namespace
    Optional<TaskKey> key(Row row, UUID keyId) {
        return switch (keys.find(keyId)) {
            case DataKeys.Lookup.Found(int namespace, byte[] key) -> {
                Optional<TaskKey> derived = namespace == row.namespace
                        ? Optional.of(TaskKey.derive(key, row.id, row.version))
                        : Optional.empty();
                Arrays.fill(key, (byte) 0);
                if (derived.isEmpty()) {
                    broken(row, "foreign_key");
                }
                yield derived;
            }
            case DataKeys.Lookup.Destroyed _ -> Optional.empty();
            case DataKeys.Lookup.Unknown _ -> {
                broken(row, "unknown_key");
                yield Optional.empty();
            }
        };
    }

    /// Whether a data key belongs to a namespace and is there.
    boolean knows(int namespace, UUID keyId) {
        return switch (keys.find(keyId)) {
            case DataKeys.Lookup.Found(int owner, byte[] key) -> {
                Arrays.fill(key, (byte) 0);
                yield owner == namespace;
            }
            case DataKeys.Lookup.Destroyed _ -> false;
            case DataKeys.Lookup.Unknown _ -> false;
        };
    }

    private void broken(Row row, String reason) {
        EventType type = row.purpose == Purpose.SECRET ? EventType.SECRET_RESOLVED : EventType.TOKEN_RESOLVED;
        store.events()
                .appendAlone(store.events()
                        .event(type, "open", Result.FAILURE)
                        .namespace(row.namespace)
                        .with("row", row.id.toString())
                        .with("reason", reason));
    }
}
