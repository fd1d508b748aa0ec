package dev.vigil.api.access;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Namespaces by number and by name. Names never change, so a name once known stays known.
public final class Namespaces {
    private final NamespaceRows rows;
    private final Map<Integer, String> names = new ConcurrentHashMap<>();

    Namespaces(NamespaceRows rows) {
        this.rows = rows;
    }

    /// The name of a namespace, as clients see it.
    public String nameOf(int number) {
        return names.computeIfAbsent(
                number,
                id -> rows.findById(id)
                        .map(namespace -> namespace.name)
                        .orElseThrow(() -> new IllegalStateException("namespace " + id + " has rows and no name")));
    }

    /// The number of a namespace.
    public Optional<Integer> numberOf(String name) {
        return rows.findByName(name).map(namespace -> namespace.id);
    }

    List<Namespace> all() {
        return rows.findAllByOrderByIdDesc();
    }
}
