package dev.vigil.api.access;

/// Whether anything of a feature lies in a namespace, which then cannot be deleted. This package knows none of them.
@FunctionalInterface
public interface Occupancy {
    boolean occupies(int namespace);
}
