package dev.vigil.api.web;

import java.util.List;

/// What of a feature lies in a namespace, which then cannot be deleted. Who deletes it knows none of the features.
@FunctionalInterface
public interface Occupancy {
    /// What it is, as a person would say it, such as `unfinished tasks`; empty when there is nothing.
    List<String> of(int namespace);
}
