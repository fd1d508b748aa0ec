package dev.vigil.api.web;

import java.util.Optional;

/// Numbers of namespaces by name, for those whom the access tables build upon.
@FunctionalInterface
public interface NamespaceNumbers {
    /// The number of a namespace.
    Optional<Integer> numberOf(String name);
}
