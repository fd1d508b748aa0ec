package dev.vigil.scheduler;

import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.springframework.jdbc.core.simple.JdbcClient;

/// The schema `scheduler` and its migrations.
public final class SchedulerSchema {
    /// How many shards a new database has.
    public static final int SHARDS = 16;

    private SchedulerSchema() {}

    /// Brings the schema up to date. Shards may be added at any time; new executions use them from then on.
    ///
    /// @param owner  connects as `vigil_owner`
    /// @param shards how many there shall be; fewer than there are changes nothing
    public static void migrate(DataSource owner, int shards) {
        Flyway.configure(SchedulerSchema.class.getClassLoader())
                .dataSource(owner)
                .schemas("scheduler")
                .locations("classpath:db/migration/scheduler")
                .load()
                .migrate();
        JdbcClient.create(owner).sql("""
                        INSERT INTO scheduler.shard (id) SELECT generate_series(0, :shards - 1) ON CONFLICT DO NOTHING
                        """).param("shards", shards).update();
    }
}
