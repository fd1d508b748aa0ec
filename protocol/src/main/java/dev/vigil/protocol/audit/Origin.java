package dev.vigil.protocol.audit;

import java.util.Optional;

/// The call behind what is happening on this thread. Events that are made while it is handled carry its request id and
/// its address, so that every change can be followed to the call that made it.
///
/// @param requestId `req_…`
/// @param address   where the call came from
public record Origin(String requestId, String address) {
    private static final ScopedValue<Origin> CURRENT = ScopedValue.newInstance();

    /// Handles a call: everything in it happens on behalf of this origin.
    ///
    /// @param <X> what the handling may throw
    public <X extends Exception> void handle(Handling<X> handling) throws X {
        ScopedValue.where(CURRENT, this).call(() -> {
            handling.run();
            return true;
        });
    }

    static Optional<Origin> current() {
        return CURRENT.isBound() ? Optional.of(CURRENT.get()) : Optional.empty();
    }

    /// What is done for a call.
    @FunctionalInterface
    public interface Handling<X extends Exception> {
        void run() throws X;
    }
}
