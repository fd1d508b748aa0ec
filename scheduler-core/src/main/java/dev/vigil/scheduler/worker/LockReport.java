package dev.vigil.scheduler.worker;

import java.util.UUID;

/// Where the core reports a worker that two processes pretend to be. An interface because only the API writes the
/// worker registry. Called on the ROUTER's thread: hand over and return.
@FunctionalInterface
public interface LockReport {
    /// Both processes are cut already; the lock keeps them out for good.
    void cloned(UUID worker, UUID olderBoot, UUID newerBoot);
}
