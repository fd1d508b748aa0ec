package dev.vigil.scheduler;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.simple.JdbcClient;

/// What the engine promises rests on PostgreSQL keeping what it acknowledged.
final class Durability {
    private static final Logger LOG = LoggerFactory.getLogger(Durability.class);

    private Durability() {}

    /// Refuses a database that loses acknowledged commits when the machine fails, and warns of one that may lose the
    /// newest.
    static void require(JdbcClient db) {
        if (setting(db, "fsync").equals("off")) {
            throw new IllegalStateException(
                    "PostgreSQL runs with fsync=off and would lose acknowledged tasks in a crash;"
                            + " set fsync=on in postgresql.conf and restart it");
        }
        if (setting(db, "synchronous_commit").equals("off")) {
            LOG.warn(
                    "event=synchronous_commit_off effect=\"a crash of PostgreSQL may lose the last acknowledged tasks\""
                            + " remedy=\"set synchronous_commit=on\"");
        }
    }

    private static String setting(JdbcClient db, String name) {
        return db.sql("SELECT current_setting(:name)")
                .param("name", name)
                .query(String.class)
                .single();
    }
}
