package dev.vigil.scheduler.task;

import dev.vigil.protocol.id.UuidV7;
import dev.vigil.scheduler.task.Limited.Kind;
import java.sql.Types;
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
    public record Setting(@Nullable Integer maxConcurrent) {
        /// Who was never limited.
        public static final Setting NONE = new Setting(null);

        public Setting {
            if (maxConcurrent != null && (maxConcurrent < 0 || maxConcurrent == UNLIMITED)) {
                throw new IllegalArgumentException("max_concurrent is " + maxConcurrent + "; use 0 or more");
            }
        }
    }

    /// What is stored.
    ///
    /// @param revision grows with each change; 0 when there was none
    public record Stored(Setting setting, long revision) {}

    /// What a scope is limited to.
    public Stored get(Scope scope) {
        return db.sql("""
                        SELECT most, revision FROM scheduler.concurrency
                         WHERE kind = :kind AND namespace = :namespace AND (:handler::text IS NULL OR handler = :handler)
                        """)
                .param("kind", scope.kind.code())
                .param("namespace", scope.namespace)
                .param("handler", scope.handler, Types.VARCHAR)
                .query((row, index) -> {
                    int most = row.getInt("most");
                    return new Stored(new Setting(most == UNLIMITED ? null : most), row.getLong("revision"));
                })
                .optional()
                .orElse(new Stored(Setting.NONE, 0));
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
            int most = next.maxConcurrent == null ? UNLIMITED : next.maxConcurrent;
            int changed = before.revision == 0 ? insert(scope, most) : update(scope, most);
            if (changed != 1) {
                throw new IllegalStateException("the limit of " + scope + " changed " + changed + " rows");
            }
            return Optional.of(new Stored(next, before.revision + 1));
        }));
    }

    private int insert(Scope scope, int most) {
        return db.sql("""
                        INSERT INTO scheduler.concurrency (kind, namespace, owner, handler, most, revision)
                        VALUES (:kind, :namespace, :id, :handler, :most, 1)
                        """)
                .param("kind", scope.kind.code())
                .param("namespace", scope.namespace)
                .param("id", UuidV7.next())
                .param("handler", scope.handler, Types.VARCHAR)
                .param("most", most)
                .update();
    }

    private int update(Scope scope, int most) {
        return db.sql("""
                        UPDATE scheduler.concurrency SET most = :most, revision = revision + 1
                         WHERE kind = :kind AND namespace = :namespace AND (:handler::text IS NULL OR handler = :handler)
                        """)
                .param("kind", scope.kind.code())
                .param("namespace", scope.namespace)
                .param("handler", scope.handler, Types.VARCHAR)
                .param("most", most)
                .update();
    }
}
