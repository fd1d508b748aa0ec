package dev.vigil.platform;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vigil.api.ApiService;
import dev.vigil.api.Migrations;
import dev.vigil.audit.AuditSchema;
import dev.vigil.gdpr.GdprSchema;
import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.Roles;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.postgresql.PostgreSQLContainer;

/// The image that docker-compose.yml runs, instead of the embedded server that all other tests use.
class PostgresImageIT {
    @TempDir
    private Path folder;

    @Test
    void the_image_takes_roles_migrations_and_a_task() throws Exception {
        DockerEngine.needed();
        try (var server = new PostgreSQLContainer("postgres:18")
                .withUsername("postgres")
                .withPassword("of-this-test-only")
                .withDatabaseName("postgres")) {
            server.start();
            Database database = Roles.bootstrap(
                    name -> new Credentials(
                            "jdbc:postgresql://" + server.getHost() + ":" + server.getMappedPort(5432) + "/" + name,
                            server.getUsername(),
                            server.getPassword()),
                    folder.resolve("roles.properties"));
            Credentials owner = database.as(Role.OWNER);
            Migrations.migrate(owner.url(), owner.username(), owner.password());
            AuditSchema.migrate(owner.url(), owner.username(), owner.password());
            GdprSchema.migrate(owner.url(), owner.username(), owner.password());

            DevCredentials credentials = DevCredentials.keptIn(folder.resolve("credentials.properties"));
            Ports ports = Ports.choose(0);
            var services = new ServiceSettings(new DataFolder(folder), ports, database, credentials);
            try (var api = ApiService.start(services.api(List.of("demo.echo")))) {
                assertThat(api.isRunning()).isTrue();
                VigilClient client =
                        VigilClient.ofClient(Ports.url(ports.api()), DevCredentials.CLIENT, credentials.clientSecret());
                String id = client.post(
                                "/api/v1/tasks",
                                Map.of(
                                        "name",
                                        "first",
                                        "handler",
                                        "demo.echo",
                                        "schedule",
                                        Map.of("type", "one_time"),
                                        "payload",
                                        Map.of("n", 1)))
                        .expect(201)
                        .path("id")
                        .asString();

                assertThat(client.get("/api/v1/tasks/" + id)
                                .expect(200)
                                .path("name")
                                .asString())
                        .isEqualTo("first");
            }
        }
    }
}
