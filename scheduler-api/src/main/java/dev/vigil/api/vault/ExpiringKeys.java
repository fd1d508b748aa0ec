package dev.vigil.api.vault;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// A bounded memory of keys: the longest unused one makes room, none is handed out after its time.
final class ExpiringKeys<K, V> {
    private final Map<K, Kept<V>> entries;

    ExpiringKeys(int max) {
        entries = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, Kept<V>> eldest) {
                return size() > max;
            }
        };
    }

    synchronized Optional<V> get(K key, Instant now) {
        Kept<V> kept = entries.get(key);
        if (kept == null) {
            return Optional.empty();
        }
        if (!now.isBefore(kept.until())) {
            entries.remove(key);
            return Optional.empty();
        }
        return Optional.of(kept.value());
    }

    synchronized void put(K key, V value, Instant until) {
        entries.put(key, new Kept<>(value, until));
    }

    synchronized void remove(K key) {
        entries.remove(key);
    }

    synchronized void dropExpired(Instant now) {
        entries.values().removeIf(kept -> !now.isBefore(kept.until()));
    }

    synchronized int size() {
        return entries.size();
    }

    private record Kept<V>(V value, Instant until) {}
}
