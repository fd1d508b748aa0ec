package dev.vigil.platform;

import dev.vigil.agent.handler.Handler;
import dev.vigil.agent.handler.HandlerUnreadableException;
import dev.vigil.api.ApiService;
import dev.vigil.audit.AuditService;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.EmbeddedPostgres;
import dev.vigil.postgres.FolderLock;
import dev.vigil.postgres.PostgresSettings;
import dev.vigil.postgres.Roles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/// All of Vigil on this machine: PostgreSQL, the server services as sibling contexts in this JVM, further cores and the
/// workers as processes of their own. The one fixture of `./vigil dev`, the demo and the end-to-end tests.
///
/// Everything binds the loopback interface and keeps what it stores below one folder. Whatever it starts ends with this
/// JVM, a kill included. Thread-safe once started.
final class Platform implements AutoCloseable {
    /// What every worker brings along.
    private static final List<String> DEMO_HANDLERS = List.of("demo.echo", "demo.fail", "demo.secret", "demo.sleep");

    private static final Duration END_OF_PREDECESSORS = Duration.ofSeconds(20);

    private final PlatformSettings settings;
    private final DataFolder folder;
    private final Consumer<String> progress;
    private final Deque<Part> parts = new ArrayDeque<>();

    private Platform(PlatformSettings settings, Consumer<String> progress) {
        this.settings = settings;
        this.folder = new DataFolder(settings.data());
        this.progress = progress;
    }

    /// Something that was started, and how to end it.
    private record Part(String name, AutoCloseable end) {}

    /// Starts everything and returns once a task can run.
    ///
    /// @param progress takes a line for each thing that stands
    /// @throws PlatformStartException when something cannot start; what was started before is ended
    static Platform start(PlatformSettings settings, Consumer<String> progress) {
        var platform = new Platform(settings, progress);
        try {
            platform.startParts();
            return platform;
        } catch (IOException failure) {
            platform.close();
            throw new UncheckedIOException("Vigil not started in " + settings.data(), failure);
        } catch (RuntimeException failure) {
            platform.close();
            throw failure;
        }
    }

    private void startParts() throws IOException {
        claimFolder();
        Ports ports = Ports.choose(settings.port());
        EmbeddedPostgres postgres = startPostgres();
        Database database = Roles.bootstrap(postgres, folder.rolePasswords());
        DevCredentials credentials = DevCredentials.keptIn(folder.credentials());
        var services = new ServiceSettings(folder, ports, database, credentials);
        List<Handler> handlers = handlers();
        part("API", ApiService.start(services.api(approved(handlers))));
        var registrar = new Registrar(
                VigilClient.ofUser(Ports.url(ports.api()), DevCredentials.ADMIN, credentials.adminPassword()));
        registrar.propose(handlers);
        part("audit-service", AuditService.start(services.audit()));
    }

    private void claimFolder() throws IOException {
        FolderLock lock = folder.claim()
                .orElseThrow(() -> new PlatformStartException("another Vigil runs on " + settings.data()
                        + "; stop it with `./vigil stop --data " + settings.data() + "` or give another --data"));
        parts.push(new Part("lock", lock));
        folder.removeReady();
        folder.awaitEndOfOthers(END_OF_PREDECESSORS);
    }

    private EmbeddedPostgres startPostgres() {
        EmbeddedPostgres server = EmbeddedPostgres.start(
                PostgresSettings.in(folder.postgres()).withServerDir(settings.programs()),
                process -> folder.note("postgres", process));
        part("PostgreSQL", server);
        return server;
    }

    private List<Handler> handlers() {
        Path handlers = settings.handlers();
        try {
            return handlers == null ? List.of() : Handler.readAll(handlers);
        } catch (HandlerUnreadableException unreadable) {
            throw new PlatformStartException(String.valueOf(unreadable.getMessage()), unreadable);
        }
    }

    private List<String> approved(List<Handler> handlers) {
        var names = new ArrayList<>(DEMO_HANDLERS);
        if (settings.approveHandlers()) {
            handlers.forEach(handler -> names.add(handler.name()));
        }
        return names;
    }

    private void part(String name, AutoCloseable end) {
        parts.push(new Part(name, end));
        progress.accept(name);
    }

    /// Ends everything in the reverse order of its start. One part's failure does not keep the others.
    @Override
    public void close() {
        for (Part part = parts.poll(); part != null; part = parts.poll()) {
            try {
                part.end().close();
            } catch (Exception failure) {
                System.getLogger(Platform.class.getName())
                        .log(System.Logger.Level.WARNING, "event=part_not_ended part=" + part.name(), failure);
            }
        }
    }
}
