package dev.vigil.platform;

import dev.vigil.agent.handler.Handler;
import dev.vigil.agent.handler.HandlerUnreadableException;
import dev.vigil.api.Migrations;
import dev.vigil.audit.AuditSchema;
import dev.vigil.gdpr.GdprSchema;
import dev.vigil.postgres.Credentials;
import dev.vigil.postgres.Database;
import dev.vigil.postgres.EmbeddedPostgres;
import dev.vigil.postgres.Folders;
import dev.vigil.postgres.Role;
import dev.vigil.postgres.Roles;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/// Prepares an installation whose services run in containers, one step a call: what the launcher does in one process,
/// and an operator by hand. Every step may be run again; what exists stays.
///
/// Below one folder each service has a folder of its own, mounted into that service and no other; a file in it is a
/// setting of that name (Spring's `configtree:`). So no secret is in an image, a compose file or an environment.
public final class Setup {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /// Who gets an invitation: folder, group of the token, prefix of its settings.
    private static final List<Invited> INVITED = List.of(
            new Invited("core", "service:core", "vigil.core"),
            new Invited("audit", "service:audit", "vigil.audit"),
            new Invited("gdpr", "service:gdpr", "vigil.gdpr"),
            new Invited("worker", "default", "vigil.agent"));

    private static final Map<Role, String> FOLDERS =
            Map.of(Role.API, "api", Role.CORE, "core", Role.AUDIT, "audit", Role.GDPR, "gdpr");

    private final Path secrets;
    private final PrintStream out;

    private Setup(Path secrets, PrintStream out) {
        this.secrets = secrets;
        this.out = out;
    }

    private record Invited(String folder, String group, String prefix) {}

    /// Carries out one step and exits 0, or says what is wrong and exits 1.
    ///
    /// @param args the step, then what it needs; without any, the steps are printed
    public static void main(String[] args) {
        try {
            boolean good = new Setup(Path.of("/secrets"), System.out).step(List.of(args));
            System.exit(good ? 0 : 1);
        } catch (IOException | HandlerUnreadableException | RuntimeException failure) {
            failure.printStackTrace(System.err);
            System.exit(1);
        }
    }

    private boolean step(List<String> args) throws IOException, HandlerUnreadableException {
        String step = args.isEmpty() ? "" : args.getFirst();
        switch (step + "/" + (args.size() - 1)) {
            case "secrets/0" -> makeSuperuserPassword();
            case "database/1" -> prepareDatabase(args.get(1));
            case "invitations/2" -> invite(args.get(1), Path.of(args.get(2)));
            case "accounts/1" ->
                out.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(ready(args.get(1))));
            case "examples/2" -> {
                return Tour.show(JSON.valueToTree(ready(args.get(1))), Path.of(args.get(2)), out);
            }
            default -> {
                out.println("""
                        Steps, in this order:
                          secrets                  the password of the database's superuser
                          database HOST            roles, database and schemas; the services' passwords
                          invitations URL FOLDER   join tokens of the services and the worker; proposes the handlers of FOLDER
                        and then
                          accounts URL             prints the first admin and the first client
                          examples URL FOLDER      runs the example tasks and checks what they come to""");
                return false;
            }
        }
        return true;
    }

    /// The server reads it as another user, from a volume that only it and this program mount.
    private void makeSuperuserPassword() throws IOException {
        Path file = superuserPassword();
        if (!Files.exists(file)) {
            Folders.writePrivate(file, EmbeddedPostgres.newPassword());
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
        }
        credentials();
    }

    private void prepareDatabase(String host) throws IOException {
        String password = Files.readString(superuserPassword());
        Database database = Roles.bootstrap(
                name -> new Credentials("jdbc:postgresql://" + host + "/" + name, "postgres", password),
                secrets.resolve("setup/roles.properties"));
        Credentials owner = database.as(Role.OWNER);
        Migrations.migrate(owner.url(), owner.username(), owner.password());
        AuditSchema.migrate(owner.url(), owner.username(), owner.password());
        GdprSchema.migrate(owner.url(), owner.username(), owner.password());
        for (var service : FOLDERS.entrySet()) {
            Credentials own = database.as(service.getKey());
            write(
                    service.getValue(),
                    Map.of(
                            "vigil.database.url", own.url(),
                            "vigil.database.username", own.username(),
                            "vigil.database.password", own.password()));
        }
        DevCredentials accounts = credentials();
        write(
                "api",
                Map.of(
                        "vigil.bootstrap.admin.username",
                        DevCredentials.ADMIN,
                        "vigil.bootstrap.admin.password",
                        accounts.adminPassword(),
                        "vigil.bootstrap.client.id",
                        DevCredentials.CLIENT,
                        "vigil.bootstrap.client.secret",
                        accounts.clientSecret()));
        out.println("database " + database + " is ready");
    }

    /// Tokens work once and for a quarter of an hour; a service that has its certificate already ignores its new one.
    private void invite(String url, Path handlers) throws IOException, HandlerUnreadableException {
        var registrar = new Registrar(
                VigilClient.ofUser(url, DevCredentials.ADMIN, credentials().adminPassword()));
        registrar.propose(Handler.readAll(handlers));
        for (Invited invited : INVITED) {
            Registrar.Invitation invitation = registrar.invite(invited.group());
            write(
                    invited.folder(),
                    Map.of(
                            invited.prefix() + ".join-token", invitation.token(),
                            invited.prefix() + ".ca-pin", invitation.caPin()));
            out.println(invited.group() + " is invited");
        }
    }

    private Map<String, Object> ready(String url) throws IOException {
        DevCredentials accounts = credentials();
        var ready = new LinkedHashMap<String, Object>();
        ready.put("url", url);
        ready.put("admin", Map.of("username", DevCredentials.ADMIN, "password", accounts.adminPassword()));
        ready.put("client", Map.of("client_id", DevCredentials.CLIENT, "client_secret", accounts.clientSecret()));
        return ready;
    }

    private DevCredentials credentials() throws IOException {
        return DevCredentials.keptIn(secrets.resolve("setup/accounts.properties"));
    }

    private Path superuserPassword() {
        return secrets.resolve("postgres/password");
    }

    private void write(String folder, Map<String, String> settings) throws IOException {
        for (var setting : settings.entrySet()) {
            Folders.writePrivate(secrets.resolve(folder).resolve(setting.getKey()), setting.getValue());
        }
    }
}
