package dev.vigil.api.vault;

import dev.vigil.api.web.Json;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.scheduler.execution.LiveCores;
import dev.vigil.scheduler.task.ShardHints;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/// Tells the cores, after a commit, what they would otherwise find by looking. Calls return at once. A hint that is
/// lost costs a core its own look, a second at most.
final class CoreHints implements ShardHints, SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(CoreHints.class);
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final LiveCores cores;
    private final WorkerPortIdentity identity;
    private final Semaphore news = new Semaphore(0);
    private Map<Integer, ShardHint> shards = new LinkedHashMap<>();
    private Set<UUID> workers = new LinkedHashSet<>();
    private final Map<LiveCores.Core, HintLine> lines = new HashMap<>();
    private @Nullable Client client;
    private volatile @Nullable Thread messenger;

    /// Speaks to the cores.
    ///
    /// @param until when its certificate is due for renewal
    private record Client(HttpClient http, Instant until) {}

    CoreHints(LiveCores cores, WorkerPortIdentity identity) {
        this.cores = cores;
        this.identity = identity;
    }

    @Override
    public void changed(Collection<ShardHint> hints) {
        synchronized (this) {
            hints.forEach(hint -> shards.merge(hint.shard(), hint, ShardHint::and));
        }
        news.release();
    }

    /// A worker was blocked, drained, or let in again.
    void worker(UUID changed) {
        synchronized (this) {
            workers.add(changed);
        }
        news.release();
    }

    private synchronized HintLine.Hint take() {
        var hint = new HintLine.Hint(List.copyOf(shards.values()), workers);
        shards = new LinkedHashMap<>();
        workers = new LinkedHashSet<>();
        return hint;
    }

    private void deliver() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                news.acquire();
                news.drainPermits();
                HintLine.Hint hint = take();
                List<LiveCores.Core> alive = cores.list();
                lines.keySet().retainAll(alive);
                for (LiveCores.Core core : alive) {
                    lines.computeIfAbsent(core, to -> new HintLine(told -> send(to, told)))
                            .tell(hint.shards(), hint.workers());
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException e) {
                LOG.warn("event=hint_not_sent reason=\"{}\"; the cores find it by themselves", e.getMessage());
            }
        }
    }

    private CompletableFuture<?> send(LiveCores.Core core, HintLine.Hint hint) {
        byte[] body = Json.bytes(Map.of(
                "shards",
                hint.shards().stream()
                        .filter(ShardHint::commands)
                        .map(ShardHint::shard)
                        .toList(),
                "created",
                hint.shards().stream().flatMap(CoreHints::created).toList(),
                "workers",
                hint.workers().stream()
                        .map(id -> new Id(Kind.WORKER, id).toString())
                        .toList()));
        var request = HttpRequest.newBuilder(URI.create(core.sessionUrl() + "/internal/v1/hints"))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        return client().sendAsync(request, HttpResponse.BodyHandlers.discarding())
                .whenComplete((answer, fault) -> {
                    if (fault != null || answer.statusCode() >= 300) {
                        LOG.debug(
                                "event=hint_lost core={} reason=\"{}\"",
                                core.incarnation(),
                                fault == null ? answer.statusCode() : fault.getMessage());
                    }
                });
    }

    private static Stream<Map<String, Object>> created(ShardHint hint) {
        return Stream.ofNullable(hint.due())
                .map(due -> Map.of(
                        "shard", hint.shard(),
                        "lanes", hint.lanes(),
                        "due", due.toString(),
                        "schedules", hint.schedules()));
    }

    /// A client with the certificate of now.
    private synchronized HttpClient client() {
        Client made = client;
        if (made == null || !made.until().equals(identity.renewAfter())) {
            made = new Client(
                    HttpClient.newBuilder()
                            .version(HttpClient.Version.HTTP_1_1)
                            .sslContext(identity.clientTls(Peers.service("core")))
                            .connectTimeout(PATIENCE)
                            .build(),
                    identity.renewAfter());
            client = made;
        }
        return made.http();
    }

    @Override
    public void start() {
        messenger = Thread.ofPlatform().daemon().name("core-hints").start(this::deliver);
    }

    @Override
    public void stop() {
        Thread running = messenger;
        if (running != null) {
            running.interrupt();
        }
        messenger = null;
    }

    @Override
    public boolean isRunning() {
        return messenger != null;
    }
}
