package dev.vigil.agent.handler;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/// One attempt of one execution, opened and ready to run. It holds a plaintext, so it does not print itself.
///
/// @param execution    the execution; handlers see it as `run` and `idempotency_key`
/// @param namespace    number of the namespace; processes of a pool are never shared between two namespaces
/// @param fence        grows with each dispatch; below 2^53
/// @param attempt      from 1
/// @param handler      name of the handler, without a version
/// @param input        JSON text of the payload; copied in and out
/// @param timeout      longest duration of the attempt, by the monotonic clock of the agent
/// @param scheduledFor when the execution was due
/// @param deadline     the wall clock's view of the timeout, told to the handler, enforced by nobody
/// @param secrets      name to content, resolved by the caller; copied in and out. The handler finds each as a
///     file under `/run/task/secrets`
/// @param mask         what is hidden in the free text that leaves the run: log lines, progress, error details
public record ExecutionRequest(
        UUID execution,
        int namespace,
        long fence,
        int attempt,
        String handler,
        byte[] input,
        Duration timeout,
        Instant scheduledFor,
        Instant deadline,
        Map<String, byte[]> secrets,
        Mask mask) {

    /// One more than the greatest fence: what a JSON reader that holds numbers as doubles can tell apart.
    private static final long FENCE_END = 1L << 53;

    public ExecutionRequest {
        if (fence < 0 || fence >= FENCE_END) {
            throw new IllegalArgumentException(
                    "fence of execution " + execution + " is " + fence + "; use 0 to 2^53-1");
        }
        if (attempt < 1) {
            throw new IllegalArgumentException(
                    "attempt of execution " + execution + " is " + attempt + "; use 1 or more");
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException(
                    "timeout of execution " + execution + " is " + timeout + "; use more than zero");
        }
        input = input.clone();
        secrets = copy(secrets);
    }

    @Override
    public byte[] input() {
        return input.clone();
    }

    @Override
    public Map<String, byte[]> secrets() {
        return copy(secrets);
    }

    private static Map<String, byte[]> copy(Map<String, byte[]> secrets) {
        var copy = HashMap.<String, byte[]>newHashMap(secrets.size());
        secrets.forEach((name, content) -> copy.put(name, content.clone()));
        return Map.copyOf(copy);
    }

    @Override
    public String toString() {
        return "ExecutionRequest[" + execution + " fence=" + fence + " attempt=" + attempt + " " + handler + "]";
    }
}
