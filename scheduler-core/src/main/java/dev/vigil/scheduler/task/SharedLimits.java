package dev.vigil.scheduler.task;

import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.task.Limited.Kind;
import java.sql.Types;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// The table `scheduler.concurrency`, as those see it who limit a namespace or a handler. A core that is at work has
/// heard of a change within about a second.
public final class SharedLimits {
    private static final int UNLIMITED = Integer.MAX_VALUE;

    /// The largest weight.
    public static final int WEIGHT_MAX = 100;

    private final JdbcClient db;
    private final TransactionTemplate transaction;

    /// @param transactions a change joins the one that is under way
    public SharedLimits(JdbcClient db, PlatformTransactionManager transactions) {
        this.db = db;
        this.transaction = new TransactionTemplate(transactions);
    }

    /// What is limited.
    ///
    /// @param namespace its number; 0 for a handler
    /// @param handler   its name; null for a namespace
    public record Scope(Kind kind, int namespace, @Nullable String handler) {
        /// All tasks of a namespace.
        public static Scope ofNamespace(int number) {
            return new Scope(Kind.NAMESPACE, number, null);
        }

        /// All tasks of a handler, whatever their namespace.
        public static Scope ofHandler(String name) {
            return new Scope(Kind.HANDLER, 0, name);
        }
    }

    /// What it is limited to.
    ///
    /// @param maxConcurrent executions with workers at once, 0 for none at all; null means no limit
    /// @param rate          executions that start in a time; null means no limit
    /// @param weight        of a namespace: its share of turns while others wait, 1 to 100
    public record Setting(
            @Nullable Integer maxConcurrent, @Nullable Rate rate, int weight) {
        /// Who was never limited.
        public static final Setting NONE = new Setting(null, null, 1);

        public Setting {
            if (maxConcurrent != null && (maxConcurrent < 0 || maxConcurrent == UNLIMITED)) {
                throw new IllegalArgumentException("max_concurrent is " + maxConcurrent + "; use 0 or more");
            }
            if (weight < 1 || weight > WEIGHT_MAX) {
                throw new IllegalArgumentException("weight is " + weight + "; use 1 to " + WEIGHT_MAX);
            }
        }
    }

    /// How often something may start: in any time as long as `per`, by the database's clock, the dispatches of no more
    /// than `maxStarts` executions commit.
    ///
    /// Starts are handed out ahead and used within [#use]. Lest this makes more of them, no more are handed out in
    /// the whole of `per`, that time and a [#step].
    public record Rate(int maxStarts, Duration per) {
        /// The shortest and the longest time.
        public static final Duration PER_MIN = Duration.ofSeconds(1);
        public static final Duration PER_MAX = Duration.ofDays(1);

        private static final long USE_MIN_MILLIS = 500;
        private static final long USE_MAX_MILLIS = 5_000;

        public Rate {
            if (maxStarts < 1) {
                throw new IllegalArgumentException("max_starts is " + maxStarts + "; use 1 or more");
            }
            if (per.compareTo(PER_MIN) < 0 || per.compareTo(PER_MAX) > 0) {
                throw new IllegalArgumentException("per is " + per + "; use " + PER_MIN + " to P1D");
            }
        }

        /// How long a core may use what it was handed.
        public Duration use() {
            return Duration.ofMillis(Math.clamp(per.toMillis() / 16, USE_MIN_MILLIS, USE_MAX_MILLIS));
        }

        /// What handed out starts are counted by.
        public Duration step() {
            return per.dividedBy(64);
        }
    }

    /// What is stored.
    ///
    /// @param started  starts that the rate has handed out and that still count; 0 without a rate
    /// @param revision grows with each change; 0 when there was none
    public record Stored(Setting setting, long started, long revision) {}

    /// What a scope is limited to.
    public Stored get(Scope scope) {
        return db.sql("""
                        SELECT most, starts, per_ms, weight, scheduler.started(concurrency) AS started, revision
                          FROM scheduler.concurrency
                         WHERE kind = :kind AND namespace = :namespace AND (:handler::text IS NULL OR handler = :handler)
                        """)
                .param("kind", scope.kind.code())
                .param("namespace", scope.namespace)
                .param("handler", scope.handler, Types.VARCHAR)
                .query((row, index) -> {
                    int most = row.getInt("most");
                    Integer starts = row.getObject("starts", Integer.class);
                    Rate rate = starts == null ? null : new Rate(starts, Duration.ofMillis(row.getLong("per_ms")));
                    return new Stored(
                            new Setting(most == UNLIMITED ? null : most, rate, row.getInt("weight")),
                            row.getLong("started"),
                            row.getLong("revision"));
                })
                .optional()
                .orElse(new Stored(Setting.NONE, 0, 0));
    }

    /// Limits a scope, in the transaction of the caller if he has one. What runs goes on; lowering below that lets it
    /// drain.
    ///
    /// @param expected the revision that the change is about; null for any
    /// @param change   makes of what stands what is to stand
    /// @return what stands now; empty when it has another revision, and nothing is changed then
    public Optional<Stored> change(Scope scope, @Nullable Long expected, UnaryOperator<Setting> change) {
        return Objects.requireNonNull(transaction.execute(status -> {
            // Its row is the lock of all such changes, and what cores look at.
            db.sql("UPDATE scheduler.limit_change SET n = n + 1").update();
            Stored before = get(scope);
            if (expected != null && expected != before.revision) {
                return Optional.empty();
            }
            Setting next = change.apply(before.setting);
            int changed = before.revision == 0 ? insert(scope, next) : update(scope, next);
            if (changed != 1) {
                throw new IllegalStateException("the limit of " + scope + " changed " + changed + " rows");
            }
            return Optional.of(new Stored(next, before.started, before.revision + 1));
        }));
    }

    private int insert(Scope scope, Setting setting) {
        return db.sql("""
                        INSERT INTO scheduler.concurrency
                               (kind, namespace, owner, handler, most, starts, per_ms, use_ms, step_ms, weight, revision)
                        VALUES (:kind, :namespace, :id, :handler, :most, :starts, :per, :use, :step, :weight, 1)
                        """)
                .param("kind", scope.kind.code())
                .param("namespace", scope.namespace)
                .param("id", UuidV7.next())
                .param("handler", scope.handler, Types.VARCHAR)
                .params(columns(setting))
                .update();
    }

    private int update(Scope scope, Setting setting) {
        return db.sql("""
                        UPDATE scheduler.concurrency
                           SET most = :most, starts = :starts, per_ms = :per, use_ms = :use, step_ms = :step,
                               weight = :weight, revision = revision + 1
                         WHERE kind = :kind AND namespace = :namespace AND (:handler::text IS NULL OR handler = :handler)
                        """)
                .param("kind", scope.kind.code())
                .param("namespace", scope.namespace)
                .param("handler", scope.handler, Types.VARCHAR)
                .params(columns(setting))
                .update();
    }

    private static Map<String, @Nullable Object> columns(Setting setting) {
        Rate rate = setting.rate;
        var columns = new HashMap<String, @Nullable Object>();
        columns.put("most", setting.maxConcurrent == null ? UNLIMITED : setting.maxConcurrent);
        columns.put("starts", rate == null ? null : rate.maxStarts);
        columns.put("per", rate == null ? null : rate.per.toMillis());
        columns.put("use", rate == null ? null : rate.use().toMillis());
        columns.put("step", rate == null ? null : rate.step().toMillis());
        columns.put("weight", setting.weight);
        return columns;
    }
}
