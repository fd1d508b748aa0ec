package dev.vigil.audit;

import dev.vigil.audit.log.Ledger;
import dev.vigil.audit.log.ListedEvent;
import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.TestPostgres;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.id.UuidV7;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.IntFunction;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/// Measures how long a page of the log takes at millions of events, by each filter, over HTTP. Run by hand, see
/// docs/reference/audit.md: it is no test.
///
/// The rows are those that the sequencer would leave: bundles of entries, made by the database itself, and
/// the directory of steps of 1,024 events, an event a second. What the queries do not read, hashes and checkpoints, is
/// left out.
public final class QueryBench {
    private static final int CALLS = 200;
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    /// Bundles below it are for what the running service itself writes.
    private static final int FIRST_BUNDLE = 4_096;

    private static final int USERS = 1_000;
    private static final int TASKS = 100_000;
    private static final int WORKERS = 50;
    private static final int SUBJECTS = 20_000;

    private QueryBench() {}

    /// Prints one line for each filter; the argument is the number of events, five million without it.
    public static void main(String[] args) throws Exception {
        int events = args.length > 0 ? Integer.parseInt(args[0]) : 5_000_000;
        Ledger ledger = Ledger.fresh();
        try (var service = new RunningService(ledger)) {
            long began = System.nanoTime();
            Credentials superuser = TestPostgres.superuser(ledger.database());
            JdbcClient db = JdbcClient.create(
                    new DriverManagerDataSource(superuser.url(), superuser.username(), superuser.password()));
            ListedEvent.list(ledger.connections(Role.AUDIT), FIRST_BUNDLE * 256L, events, QueryBench::event);
            load(db, events);
            System.out.printf("%d events stored in %d s%n", events, (System.nanoTime() - began) / 1_000_000_000);
            for (var filter : filters(events).entrySet()) {
                measure(service, filter.getKey(), filter.getValue());
            }
        }
        System.exit(0);
    }

    private static Map<String, IntFunction<String>> filters(int events) {
        IntFunction<String> at =
                i -> START.plusSeconds((long) i * events / CALLS).toString();
        var filters = new LinkedHashMap<String, IntFunction<String>>();
        filters.put("none", _ -> "");
        filters.put("from", i -> "from=" + at.apply(i) + "&sort=timestamp");
        filters.put("to", i -> "to=" + at.apply(i + 1));
        filters.put("from and to", i -> "from=" + at.apply(i) + "&to=" + at.apply(i + 1));
        filters.put("event_type, common", _ -> "event_type=task_execution");
        filters.put("event_type, rare", _ -> "event_type=user_data_deleted");
        filters.put("actor", i -> "actor=" + id(Kind.USER, "u" + i % USERS));
        filters.put("task_id", i -> "task_id=" + id(Kind.TASK, "t" + i % TASKS));
        filters.put("worker_id", i -> "worker_id=" + id(Kind.WORKER, "w" + i % WORKERS));
        filters.put("subject", i -> "subject=" + md5("s" + i % SUBJECTS).replace("-", ""));
        filters.put("result, common", _ -> "result=success");
        filters.put("result, rare", _ -> "result=denied");
        filters.put("action, common", _ -> "action=execute");
        filters.put("action, rare", _ -> "action=erase");
        filters.put("action, absent", _ -> "action=nothing");
        filters.put(
                "actor and event_type",
                i -> "actor=" + id(Kind.USER, "u" + i % USERS) + "&event_type=user_data_deleted");
        filters.put("worker_id and result", i -> "worker_id=" + id(Kind.WORKER, "w" + i % WORKERS) + "&result=denied");
        return filters;
    }

    private static void measure(RunningService service, String name, IntFunction<String> query) throws Exception {
        var micros = new long[CALLS];
        int items = 0;
        for (int i = -20; i < CALLS; i++) {
            String path = RunningService.EVENTS + "?limit=50&"
                    + query.apply(Math.max(i, 0)).replace("+", "%2B");
            long from = System.nanoTime();
            int size = service.json(path.endsWith("&") ? path.substring(0, path.length() - 1) : path)
                    .path("items")
                    .size();
            if (i >= 0) {
                micros[i] = (System.nanoTime() - from) / 1_000;
                items += size;
            }
        }
        Arrays.sort(micros);
        System.out.printf(
                "%-22s p50 %5.1f ms  p95 %5.1f ms  longest %5.1f ms  (%d items a page)%n",
                name, micros[CALLS / 2] / 1e3, micros[CALLS * 95 / 100] / 1e3, micros[CALLS - 1] / 1e3, items / CALLS);
    }

    private static String id(Kind kind, String seed) {
        return URLEncoder.encode(new Id(kind, UUID.fromString(md5(seed))).toString(), StandardCharsets.US_ASCII);
    }

    /// What PostgreSQL's md5(text)::uuid is.
    private static String md5(String seed) {
        try {
            byte[] hash = MessageDigest.getInstance("MD5").digest(seed.getBytes(StandardCharsets.US_ASCII));
            var text = new StringBuilder(HexFormat.of().formatHex(hash));
            return text.insert(20, '-')
                    .insert(16, '-')
                    .insert(12, '-')
                    .insert(8, '-')
                    .toString();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void load(JdbcClient db, int events) {
        db.sql("""
                        INSERT INTO audit.entry_part (bundle, start, n, entries)
                        SELECT :first + bundle, 0, count(*),
                               string_agg(int2send(octet_length(event)::int2) || event, ''::bytea ORDER BY n)
                          FROM (SELECT n / 256 AS bundle, n, convert_to(format(
                                       '{"action":"execute","duration_ms":41,"event_type":"task_execution","id":"%s",'
                                       || '"request_id":"req_01k9abcdefghjkmnpqrstvwxyz","result":"success","task_id":"%s",'
                                       || '"timestamp":"2026-01-01T00:00:00Z","user_id":"%s","worker_id":"%s"}',
                                       md5('e' || n), md5('t' || n % 100000), md5('u' || n % 1000), md5('w' || n % 50)),
                                       'UTF8') AS event
                                  FROM generate_series(0, :events - 1) AS n) AS events
                         GROUP BY bundle
                        """).param("first", (long) FIRST_BUNDLE).param("events", events).update();
        db.sql("VACUUM ANALYZE audit.mention, audit.event_ids").update();
    }

    /// What the event of that number can be found by.
    private static ListedEvent event(int n) {
        String type = n % 10 < 7
                ? "task_execution"
                : n % 10 < 9 ? "api_call" : n % 10_000 == 9 ? "user_data_deleted" : "task_created";
        String action = n % 10 < 7 ? "execute" : n % 10_000 == 9 ? "erase" : "create";
        String result = n % 1_000 == 17 ? "denied" : n % 50 == 3 ? "failure" : "success";
        return new ListedEvent(
                START.plusSeconds(n),
                List.of(type, action, result),
                List.of(
                        UuidV7.derived(START.plusSeconds(n), 0, n),
                        uuid("u" + n % USERS),
                        uuid("t" + n % TASKS),
                        uuid("x" + n),
                        uuid("w" + n % WORKERS)),
                n % 3 == 0 ? md5("s" + n % SUBJECTS).replace("-", "") : null);
    }

    private static UUID uuid(String seed) {
        return UUID.fromString(md5(seed));
    }
}
