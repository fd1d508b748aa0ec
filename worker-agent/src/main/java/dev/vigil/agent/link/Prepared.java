package dev.vigil.agent.link;

import dev.vigil.agent.handler.ExecutionRequest;
import dev.vigil.protocol.payload.SealContext;
import dev.vigil.protocol.payload.TaskKey;

/// An execution that is ready to run: plaintext inside. Does not print itself.
///
/// @param request what runs
/// @param key     seals what comes out
/// @param place   where that belongs, purpose still to be set
record Prepared(ExecutionRequest request, TaskKey key, SealContext place) {
    @Override
    public String toString() {
        return "Prepared[" + request.execution() + "]";
    }
}
