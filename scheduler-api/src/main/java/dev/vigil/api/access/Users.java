package dev.vigil.api.access;

import dev.vigil.api.web.Accounts;
import dev.vigil.api.web.Call;
import dev.vigil.api.web.Caller;
import dev.vigil.api.web.Outbox;
import dev.vigil.api.web.Role;
import dev.vigil.protocol.audit.AuditEvent;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.data.domain.Limit;
import org.springframework.transaction.support.TransactionTemplate;

/// Users and service accounts, and what may happen to them. Every change signs the row, writes its event and raises
/// the revision in one transaction.
final class Users implements Accounts {
    private final UserRows rows;
    private final ClientRows clients;
    private final Tools tools;

    /// What a change needs besides the rows.
    record Tools(
            RowSigner signer,
            Outbox outbox,
            Revisions revisions,
            Revocations revocations,
            ApiKeys keys,
            TransactionTemplate transaction,
            InstantSource time) {}

    Users(UserRows rows, ClientRows clients, Tools tools) {
        this.rows = rows;
        this.clients = clients;
        this.tools = tools;
    }

    /// What a new account is given.
    ///
    /// @param kind     `user` or `service_account`
    /// @param username unique, without regard to case
    /// @param password hashed; null for one that never signs in with it
    /// @param powers   role, namespace and limits
    record NewUser(String kind, String username, @Nullable String password, Powers powers) {
        @Override
        public String toString() {
            return kind;
        }
    }

    /// What an account may do.
    record Powers(
            Role role,
            int namespace,
            Caller.Permissions permissions,
            @Nullable Integer requestsPerMinute) {}

    /// Who makes a change, and by which request.
    ///
    /// @param user null for the bootstrap
    record Actor(@Nullable UUID user, String requestId, String address) {
        static final Actor BOOTSTRAP = new Actor(null, "bootstrap", "local");

        static Actor of(Call call) {
            return new Actor(call.caller().id(), call.requestId(), call.address());
        }

        /// The event of his change.
        AuditEvent note(AuditEvent event) {
            event.with("request_id", requestId).with("ip_address", address);
            return user == null ? event : event.user(user);
        }
    }

    Optional<User> find(UUID id) {
        return rows.findPresent(id).filter(tools.signer::signed);
    }

    Optional<User> findByName(String username) {
        return rows.findByUsername(username);
    }

    /// Those of a kind, newest first.
    List<User> page(String kind, @Nullable UUID before, int limit) {
        return rows.page(kind, before == null ? new UUID(-1, -1) : before, Limit.of(limit));
    }

    /// Makes a user.
    ///
    /// @return empty when the name is taken
    Optional<User> create(NewUser draft, Actor actor) {
        return create(draft, actor, _ -> {});
    }

    /// Makes a service account and its client.
    Optional<User> createWithClient(NewUser draft, Actor actor, ClientSecret secret) {
        return create(draft, actor, user -> {
            var client =
                    new Client(secret.clientId(), user, Secrets.hash(secret.secret()), Grants.scopesOf(user.role()));
            tools.signer.sign(client);
            clients.saveAndFlush(client);
        });
    }

    /// What a service account signs in with; shown once.
    record ClientSecret(String clientId, String secret) {
        @Override
        public String toString() {
            return clientId;
        }
    }

    private Optional<User> create(NewUser draft, Actor actor, Consumer<User> then) {
        var user = new User(Id.next(Kind.USER).uuid(), draft.kind, draft.username, tools.time.instant());
        user.password = draft.password;
        user.role = draft.powers.role.label();
        user.namespace = draft.powers.namespace;
        user.permissions(draft.powers.permissions);
        user.requestsPerMinute = draft.powers.requestsPerMinute;
        try {
            tools.transaction.executeWithoutResult(_ -> {
                tools.signer.sign(user);
                rows.saveAndFlush(user);
                then.accept(user);
                note(draft.kind + "_created", user, actor);
            });
        } catch (DataIntegrityViolationException e) {
            return Optional.empty();
        }
        return Optional.of(user);
    }

    /// Changes a user.
    ///
    /// @param action what the audit trail calls it
    /// @return empty when there is none
    Optional<User> change(UUID id, String action, Actor actor, Consumer<User> change) {
        Optional<User> changed = Objects.requireNonNull(tools.transaction.execute(_ -> {
            Optional<User> found = rows.findPresent(id).filter(tools.signer::signed);
            found.ifPresent(user -> {
                String role = user.role;
                change.accept(user);
                tools.signer.sign(user);
                rows.saveAndFlush(user);
                follow(user, !role.equals(user.role));
                note(action, user, actor);
            });
            return found;
        }));
        tools.revisions.changed();
        return changed;
    }

    /// What hangs on a user follows him: the scopes of his client are those of his role, and both it and his keys
    /// go when he goes.
    private void follow(User user, boolean newRole) {
        Client client = clients.findByPrincipal(user.id).orElse(null);
        if (user.deletedAt != null) {
            tools.keys.deleteOf(user.id);
            if (client != null) {
                clients.delete(client);
            }
        } else if (client != null && newRole && tools.signer.signed(client)) {
            client.grant(Grants.scopesOf(user.role()));
            tools.signer.sign(client);
            clients.saveAndFlush(client);
        }
    }

    /// Gives a service account another secret. The old one ends, and so do the tokens that were got with it.
    ///
    /// @return empty when there is no such account
    Optional<ClientSecret> rollSecret(UUID id, String secret, Actor actor) {
        Optional<ClientSecret> rolled = Objects.requireNonNull(tools.transaction.execute(_ -> find(id).flatMap(user ->
                clients.findByPrincipal(id).filter(tools.signer::signed).map(client -> {
                    tools.revocations.revoke(
                            Secrets.mark(Secrets.text(client.secretHash)),
                            tools.time.instant().plus(Tokens.LIFE_MAX));
                    client.secretHash = Secrets.hash(secret);
                    tools.signer.sign(client);
                    clients.saveAndFlush(client);
                    note("client_secret_rolled", user, actor);
                    return new ClientSecret(client.clientId, secret);
                }))));
        tools.revisions.changed();
        return rolled;
    }

    /// Removes a user: his row stays for the references to it, without name and password.
    boolean delete(UUID id, Actor actor) {
        return change(id, "user_deleted", actor, this::empty).isPresent();
    }

    private void empty(User user) {
        user.deletedAt = tools.time.instant();
        user.username = "deleted " + user.id;
        user.password = null;
        user.enabled = false;
    }

    @Override
    public Optional<Integer> namespaceOf(UUID user) {
        return rows.findPresent(user).map(found -> found.namespace);
    }

    @Override
    public Caller.Permissions permissionsOf(UUID user) {
        return rows.findPresent(user).map(User::permissions).orElse(Caller.Permissions.ALL);
    }

    @Override
    public void erase(UUID user, @Nullable UUID by, String request) {
        change(user, "user_erased", new Actor(by, request, "local"), this::empty);
    }

    private void note(String action, User user, Actor actor) {
        tools.outbox.append(List.of(event(action, actor)
                .namespace(user.namespace)
                .with("target", new Id(Kind.USER, user.id).toString())
                .with("role", user.role)
                .with("enabled", user.enabled)));
        tools.revisions.raise();
    }

    private AuditEvent event(String action, Actor actor) {
        return actor.note(AuditEvent.of(EventType.CONFIGURATION_CHANGED, action, Result.SUCCESS, tools.time.instant()));
    }
}
