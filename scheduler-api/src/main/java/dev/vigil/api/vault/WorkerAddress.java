package dev.vigil.api.vault;

import java.net.URI;

/// Where workers reach the worker port; known once it listens.
@FunctionalInterface
public interface WorkerAddress {
    URI url();
}
