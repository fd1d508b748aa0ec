package dev.vigil.chaos;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Callers who create tasks at a steady rate, each under an Idempotency-Key that is sent again, to any API
/// that answers, until one acknowledges. Remembers what was acknowledged and what was answered instead.
final class Load implements AutoCloseable {
    static final Duration FIRE_EVERY = Duration.ofSeconds(5);
    /// After a failure that was asked for.
    static final Duration RETRY = Duration.ofSeconds(1);
    /// Statuses after which the same is asked again.
    private static final Set<Integer> LATER = Set.of(409, 429, 503);

    private static final int SCHEDULES = 4;
    private static final int AT_ONCE = 64;
    private static final Duration PAUSE = Duration.ofMillis(250);

    private final List<String> apis;
    private final Caller caller;
    private final ConcurrentMap<UUID, Acknowledgement> acknowledged = new ConcurrentHashMap<>();
    private final Set<UUID> pending = ConcurrentHashMap.newKeySet();
    private final ConcurrentMap<String, LongAdder> answers = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
    private final Set<String> avoided = ConcurrentHashMap.newKeySet();
    private final List<UUID> schedules = new ArrayList<>();
    private final AtomicInteger next = new AtomicInteger();
    private final Semaphore places = new Semaphore(AT_ONCE);
    private final ScheduledExecutorService pace = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("load").factory());
    private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
    private volatile boolean open = true;

    /// What a client was told.
    ///
    /// @param at  when
    /// @param key under which it had asked
    record Acknowledgement(Instant at, String key) {}

    /// @param apis addresses of the APIs
    Load(List<String> apis, Caller caller) {
        this.apis = List.copyOf(apis);
        this.caller = caller;
    }

    /// Creates schedules, then goes on creating tasks.
    void start(int perSecond) throws IOException, InterruptedException {
        for (int i = 0; i < SCHEDULES; i++) {
            Map<String, Object> body = Map.of(
                    "name",
                    "fires-" + i,
                    "handler",
                    "demo.echo",
                    "schedule",
                    Map.of(
                            "type", "interval",
                            "every", FIRE_EVERY.toString(),
                            "misfire", "all",
                            "misfire_limit", 100,
                            "overlap", "allow"),
                    "payload",
                    Map.of("n", i));
            schedules.add(create("fires-" + i, body));
        }
        var _ = pace.scheduleAtFixedRate(this::one, 0, 1_000_000L / perSecond, TimeUnit.MICROSECONDS);
    }

    private void one() {
        int n = next.incrementAndGet();
        if (places.tryAcquire()) {
            callers.execute(() -> {
                try {
                    UUID task = create("load-" + n, body(n));
                    if (n % 10 == 0 && !task.equals(create("load-" + n, body(n)))) {
                        wrong.add("load-" + n + " was created twice under one Idempotency-Key");
                    }
                } catch (InterruptedException closed) {
                    Thread.currentThread().interrupt();
                } catch (IllegalStateException refused) {
                    wrong.add("load-" + n + ": " + refused.getMessage());
                } finally {
                    places.release();
                }
            });
        }
    }

    private static Map<String, Object> body(int n) {
        String handler = n % 10 == 9 ? "demo.sleep" : n % 10 == 8 ? "demo.fail" : "demo.echo";
        return Map.of(
                "name", "load-" + n,
                "handler", handler,
                "schedule", Map.of("type", "one_time"),
                "retry", Map.of("max_attempts", 3, "backoff", "fixed", "initial", RETRY.toString()),
                "payload", Map.of("ms", 100, "fail_attempts", 1, "n", n));
    }

    /// Creates a task under a key, however often that must be asked for.
    ///
    /// @throws IllegalStateException when it is refused
    UUID create(String key, Map<String, Object> body) throws InterruptedException {
        for (int i = Math.floorMod(key.hashCode(), apis.size()); open; i++) {
            String api = apis.get(i % apis.size());
            if (!avoided.contains(api)) {
                UUID made = ask(api, key, body);
                if (made != null) {
                    return made;
                }
            }
            Waiting.lasting(PAUSE);
        }
        throw new InterruptedException("the load is over");
    }

    private @Nullable UUID ask(String api, String key, Map<String, Object> body) {
        Caller.Reply reply;
        try {
            reply = caller.post(api + "/api/v1/tasks", body, key);
        } catch (IOException gone) {
            count("no answer");
            return null;
        }
        count(Integer.toString(reply.status()));
        if (reply.status() == 201) {
            UUID task = uuid(reply.json().path("id").asString());
            var told = new Acknowledgement(Instant.now(), key);
            if (acknowledged.putIfAbsent(task, told) == null && key.startsWith("load-")) {
                pending.add(task);
            }
            return task;
        }
        if (reply.status() == 503 && reply.retryAfter().isEmpty()) {
            wrong.add("503 without Retry-After: " + reply.text());
        } else if (reply.status() >= 500 && reply.status() != 503) {
            wrong.add("answered " + reply.status() + ": " + reply.text());
        } else if (!LATER.contains(reply.status())) {
            throw new IllegalStateException("refused with " + reply.status() + ": " + reply.text());
        }
        return null;
    }

    static UUID uuid(String task) {
        return Id.parse(Kind.TASK, task)
                .orElseThrow(() -> new IllegalStateException("no id of a task: " + task))
                .uuid();
    }

    private void count(String answer) {
        answers.computeIfAbsent(answer, status -> new LongAdder()).increment();
    }

    /// Sends nothing to an API until [#useAll].
    void avoid(String api) {
        avoided.add(api);
    }

    void useAll() {
        avoided.clear();
    }

    /// How often each status was answered.
    Map<String, Long> answers() {
        var counts = new TreeMap<String, Long>();
        answers.forEach((answer, count) -> counts.put(answer, count.sum()));
        return counts;
    }

    long answered(String status) {
        return answers().getOrDefault(status, 0L);
    }

    /// What no client should have to see, since the last time.
    List<String> wrong() {
        var seen = new ArrayList<String>();
        for (String one = wrong.poll(); one != null; one = wrong.poll()) {
            seen.add(one);
        }
        return seen;
    }

    /// All that was acknowledged, with its key.
    Map<UUID, String> acknowledged() {
        return acknowledged.entrySet().stream()
                .collect(Collectors.toUnmodifiableMap(
                        Map.Entry::getKey, one -> one.getValue().key()));
    }

    /// The same, with when.
    Map<UUID, Acknowledgement> acknowledgements() {
        return Map.copyOf(acknowledged);
    }

    List<UUID> schedules() {
        return List.copyOf(schedules);
    }

    /// Waits until all that is acknowledged now has ended.
    ///
    /// @return seconds
    double drained(Truth truth, Duration most) {
        Set<UUID> waiting = ConcurrentHashMap.newKeySet();
        waiting.addAll(pending);
        try {
            return Waiting.until("the backlog is drained", most, () -> {
                Set<UUID> over = truth.ended(waiting);
                waiting.removeAll(over);
                pending.removeAll(over);
                return waiting.isEmpty();
            });
        } catch (Broken late) {
            throw new Broken(late.getMessage() + "; open: " + Truth.list(waiting) + explained(truth, waiting));
        }
    }

    private static String explained(Truth truth, Set<UUID> waiting) {
        try {
            return " "
                    + truth.rows(
                            "SELECT e.id || ' shard ' || e.shard || ' owner ' || coalesce(s.owner::text, 'nobody')"
                                    + " || ' due ' || e.due_at || ' attempt ' || e.attempt || ' losses ' || e.losses"
                                    + " || ' fence_min ' || e.fence_min FROM scheduler.execution e"
                                    + " JOIN scheduler.shard s ON s.id = e.shard WHERE e.task_id = ?",
                            row -> row.getString(1),
                            waiting.iterator().next());
        } catch (SQLException away) {
            return " (" + away.getMessage() + ")";
        }
    }

    /// No more is created; what was begun is finished.
    void end() throws InterruptedException {
        pace.shutdownNow();
        Waiting.until("callers have their answers", Duration.ofSeconds(60), () -> places.availablePermits() == AT_ONCE);
    }

    @Override
    public void close() {
        open = false;
        pace.shutdownNow();
        callers.shutdownNow();
        callers.close();
    }
}
