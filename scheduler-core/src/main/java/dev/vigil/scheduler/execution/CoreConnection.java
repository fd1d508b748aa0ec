package dev.vigil.scheduler.execution;

import dev.vigil.scheduler.task.Statements;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/// A database connection of a core, used by one thread. All connections of a core carry its incarnation as their
/// application name, so that a successor can end them.
///
/// After a failure it must be [#close]d: what the server made of the last statement is unknown until its backend
/// is gone, so the next connection ends that backend first.
final class CoreConnection implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CoreConnection.class);

    private final Database database;
    private final LoopState.Core core;
    private @Nullable Connection connection;
    private @Nullable JdbcClient client;
    private int backend;

    /// @param database as whom and where to connect
    /// @param core     whose connection it is
    CoreConnection(Database database, LoopState.Core core) {
        this.database = database;
        this.core = core;
    }

    /// How a core connects.
    ///
    /// @param url      JDBC address
    /// @param username role
    /// @param password its password
    record Database(String url, String username, String password) {
        @Override
        public String toString() {
            return username + " at " + url;
        }
    }

    /// The application name of a core's connections.
    static String applicationName(UUID incarnation) {
        return "vigil-core " + incarnation;
    }

    /// The client, connected.
    JdbcClient db() {
        JdbcClient current = client;
        if (current == null) {
            current = connect();
            client = current;
        }
        return current;
    }

    private JdbcClient connect() {
        try {
            Connection fresh = DriverManager.getConnection(database.url, properties());
            connection = fresh;
            JdbcClient fetched = Statements.over(new SingleConnectionDataSource(fresh, true));
            carryIncarnation(fetched);
            endBackend(fetched);
            if (core.cluster().isUnrecognised(ShardRows.cluster(fetched))) {
                throw new SQLException("the cluster has changed; it is not used until its epochs have been raised");
            }
            backend =
                    fetched.sql("SELECT pg_backend_pid()").query(Integer.class).single();
            return fetched;
        } catch (SQLException failure) {
            close();
            throw new DataAccessResourceFailureException("no connection to " + database, failure);
        }
    }

    /// A name in the address would win over the one in the properties, and hide this core's sessions from a successor.
    private void carryIncarnation(JdbcClient fetched) {
        fetched.sql("SELECT set_config('application_name', :name, false)")
                .param("name", applicationName(core.incarnation()))
                .query(String.class)
                .single();
    }

    private Properties properties() {
        var properties = new Properties();
        properties.setProperty("user", database.username);
        properties.setProperty("password", database.password);
        properties.setProperty("ApplicationName", applicationName(core.incarnation()));
        properties.setProperty("connectTimeout", "3");
        properties.setProperty("socketTimeout", "35");
        properties.setProperty("tcpKeepAlive", "true");
        // The few statements of a loop are prepared at once and planned once: for keys, never for the numbers that
        // the tables happen to hold, since a plan for a table that was empty a moment ago must do for a million rows.
        // -1: and results are read in binary from the first time on.
        properties.setProperty("prepareThreshold", "-1");
        // What is read is read in the order of an index and left off early, and no key twice.
        properties.setProperty(
                "options",
                "-c tcp_user_timeout=5000 -c jit=off -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
                        + " -c enable_bitmapscan=off -c enable_memoize=off");
        return properties;
    }

    /// The backend of the connection before may still be at work on a statement whose outcome is asked next.
    private void endBackend(JdbcClient fetched) {
        if (backend != 0) {
            fetched.sql("""
                            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                             WHERE pid = :pid AND application_name = :name
                            """)
                    .param("pid", backend)
                    .param("name", applicationName(core.incarnation()))
                    .query(Boolean.class)
                    .list();
            backend = 0;
        }
    }

    @Override
    public void close() {
        Connection open = connection;
        connection = null;
        client = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException failure) {
                LOG.debug("event=connection_close_failed reason={}", failure.getMessage());
            }
        }
    }
}
