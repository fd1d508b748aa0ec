package dev.vigil.agent.link;

import dev.vigil.protocol.link.DispatchRecord;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;

/// Calls to the API for materials. Two are under way at most; what frames need meanwhile waits for the next call and
/// goes in it together, so under load a call serves many frames, and a lone frame waits for nobody.
///
/// Safe for use by several threads.
final class KeyCalls {
    /// Calls at once.
    static final int CALLS_MAX = 2;

    /// Executions of one call; the API takes no more.
    static final int EXECUTIONS_MAX = 512;

    private final Api api;
    private final Deque<Frame> waiting = new ArrayDeque<>();
    private int calls;

    /// The API.
    interface Api {
        /// The materials of these dispatches, each granted or refused, in one call.
        List<Material> materials(List<DispatchRecord> dispatches) throws IOException, InterruptedException;
    }

    private record Frame(List<DispatchRecord> dispatches, CompletableFuture<Map<UUID, Material>> answer) {}

    KeyCalls(Api api) {
        this.api = api;
    }

    /// The materials of these dispatches of one frame, each granted or refused.
    ///
    /// @throws IOException when the call failed that they went in
    Map<UUID, Material> of(List<DispatchRecord> dispatches) throws IOException, InterruptedException {
        var frame = new Frame(dispatches, new CompletableFuture<>());
        synchronized (this) {
            waiting.addLast(frame);
        }
        callNext();
        try {
            return frame.answer().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof WorkerApi.CallRefusedException refused) {
                throw refused;
            }
            throw new IOException(e.getCause());
        }
    }

    /// Frames whose call has not begun.
    synchronized int waiting() {
        return waiting.size();
    }

    private void callNext() {
        List<Frame> frames = next();
        if (!frames.isEmpty()) {
            Thread.ofVirtual().name("materials").start(() -> call(frames));
        }
    }

    /// The frames of the next call. Two fences of one execution never go in one call: its answer names executions.
    private synchronized List<Frame> next() {
        var frames = new ArrayList<Frame>();
        if (calls == CALLS_MAX) {
            return frames;
        }
        Set<UUID> executions = new HashSet<>();
        for (Frame frame = waiting.peekFirst(); frame != null; frame = waiting.peekFirst()) {
            Set<UUID> more =
                    frame.dispatches().stream().map(DispatchRecord::execution).collect(Collectors.toSet());
            boolean fits = executions.size() + more.size() <= EXECUTIONS_MAX && Collections.disjoint(executions, more);
            if (!frames.isEmpty() && !fits) {
                break;
            }
            executions.addAll(more);
            frames.add(waiting.removeFirst());
        }
        calls += frames.isEmpty() ? 0 : 1;
        return frames;
    }

    private void call(List<Frame> frames) {
        Throwable failure = null;
        Map<UUID, Material> answers = Map.of();
        try {
            answers = answers(frames);
        } catch (IOException | RuntimeException e) {
            failure = e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failure = e;
        }
        synchronized (this) {
            calls--;
        }
        callNext();
        for (Frame frame : frames) {
            if (failure == null) {
                frame.answer().complete(answers);
            } else {
                frame.answer().completeExceptionally(failure);
            }
        }
    }

    private Map<UUID, Material> answers(List<Frame> frames) throws IOException, InterruptedException {
        Map<UUID, DispatchRecord> asked = new HashMap<>();
        frames.forEach(frame -> frame.dispatches().forEach(dispatch -> asked.put(dispatch.execution(), dispatch)));
        Map<UUID, Material> materials = new HashMap<>();
        while (!asked.isEmpty()) {
            int before = asked.size();
            for (Material material : api.materials(List.copyOf(asked.values()))) {
                boolean later = material instanceof Material.Refused refused
                        && refused.code().equals(Material.Refused.LATER);
                if (!later && asked.remove(material.execution()) != null) {
                    materials.put(material.execution(), material);
                }
            }
            // Every answer has at least one that is not put off, so this ends.
            if (asked.size() == before) {
                break;
            }
        }
        return materials;
    }
}
