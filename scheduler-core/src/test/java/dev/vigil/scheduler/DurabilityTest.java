package dev.vigil.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.EmbeddedPostgres;
import dev.vigil.postgres.PostgresSettings;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.Roles;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/// A core on a real server that keeps its promises, one that may lose the newest commits, and one that may lose all.
class DurabilityTest {
    @TempDir
    private Path folder;

    @Test
    void a_core_does_not_start_on_a_server_with_fsync_off_and_says_what_to_do() {
        try (EmbeddedPostgres server = server(Map.of("fsync", "off"))) {
            Map<String, Object> settings = new HashMap<>(database(server).settings(Role.CORE));
            settings.put("vigil.core.state-dir", folder.resolve("core"));
            settings.put("vigil.core.api-url", "https://127.0.0.1:1");

            assertThatThrownBy(() -> CoreService.start(settings).close())
                    .rootCause()
                    .hasMessageContaining("fsync=off")
                    .hasMessageContaining("set fsync=on");
        }
    }

    @Test
    void a_server_that_may_lose_its_newest_commits_is_warned_of_and_used() {
        try (EmbeddedPostgres server = server(Map.of("synchronous_commit", "off"))) {
            assertThat(said(server)).singleElement().satisfies(event -> {
                assertThat(event.getLevel()).isEqualTo(Level.WARN);
                assertThat(event.getFormattedMessage())
                        .contains("event=synchronous_commit_off")
                        .contains("synchronous_commit=on");
            });
        }
    }

    @Test
    void nothing_is_said_of_a_server_that_keeps_what_it_acknowledged() {
        try (EmbeddedPostgres server = server(Map.of())) {
            assertThat(said(server)).isEmpty();
        }
    }

    private EmbeddedPostgres server(Map<String, String> overrides) {
        Path programs = Path.of(System.getProperty("user.home"), ".cache", "vigil");
        return EmbeddedPostgres.start(new PostgresSettings(folder.resolve("postgres"), 0, programs, overrides));
    }

    private Database database(EmbeddedPostgres server) {
        return Roles.bootstrap(server, folder.resolve("roles"));
    }

    private List<ILoggingEvent> said(EmbeddedPostgres server) {
        var core = database(server).as(Role.CORE);
        var appender = new ListAppender<ILoggingEvent>();
        var logger = (Logger) LoggerFactory.getLogger(Durability.class);
        appender.start();
        logger.addAppender(appender);
        try {
            Durability.require(
                    JdbcClient.create(new DriverManagerDataSource(core.url(), core.username(), core.password())));
        } finally {
            logger.detachAppender(appender);
        }
        return List.copyOf(appender.list);
    }
}
