package dev.vigil.api.access;

import dev.vigil.api.web.Scope;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A row of `access.client`: how a service account gets its tokens.
@Entity
@Table(schema = "access", name = "client")
class Client {
    @Id
    @Column(name = "client_id")
    String clientId = "";

    UUID principal = new UUID(0, 0);

    @Column(name = "secret_hash")
    byte[] secretHash = new byte[0];

    String[] scopes = {};

    @Column(name = "created_at")
    Instant createdAt = Instant.EPOCH;

    @Version
    @Nullable Integer version;

    byte[] mac = new byte[0];

    /// For the mapper.
    protected Client() {}

    Client(String clientId, User owner, byte[] secretHash, Set<Scope> scopes) {
        this.clientId = clientId;
        this.principal = owner.id;
        this.createdAt = owner.createdAt;
        this.secretHash = secretHash;
        grant(scopes);
    }

    /// Which scopes it may ask for.
    final void grant(Set<Scope> granted) {
        scopes = granted.stream().map(Scope::label).sorted().toArray(String[]::new);
    }

    Set<String> scopeLabels() {
        return new TreeSet<>(List.of(scopes));
    }

    /// What the row's HMAC covers.
    byte[] powers() {
        return String.join(
                        "\n",
                        clientId,
                        principal.toString(),
                        HexFormat.of().formatHex(secretHash),
                        scopeLabels().toString())
                .getBytes(StandardCharsets.UTF_8);
    }
}
