package dev.vigil.api.vault;

import java.util.Collection;
import java.util.Optional;
import java.util.Set;

/// Where the values behind `secret://` lie: built in here; a vault of others, a key service or a folder of files
/// speaks the same words. Asked once when a task is created, and again for each worker that is to run it.
interface SecretStore {
    /// Those of the names that are there.
    Set<String> known(int namespace, Collection<String> names);

    /// The newest value.
    ///
    /// @return empty when there is none, or it cannot be opened
    Optional<Value> value(int namespace, String name);

    /// A secret's value, on its way to one worker. Not printed, not kept.
    ///
    /// @param version for the audit trail
    record Value(int version, byte[] bytes) {
        @Override
        public String toString() {
            return "Value[version " + version + "]";
        }
    }
}
