package dev.vigil.api.access;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// A row of `access.namespace`. `default` is number 1.
@Entity
@Table(schema = "access", name = "namespace")
class Namespace {
    /// The number of the namespace that is always there.
    static final int DEFAULT = 1;

    @Id
    @GeneratedValue(strategy = GenerationType.IDENTITY)
    int id;

    String name = "";

    @Column(updatable = false)
    boolean sandbox;

    byte @Nullable [] mac;

    @Column(name = "deleted_at")
    @Nullable Instant deletedAt;

    /// For the mapper.
    protected Namespace() {}

    Namespace(String name, boolean sandbox) {
        this.name = name;
        this.sandbox = sandbox;
    }

    /// What the row's HMAC covers; only a sandbox has one, because nothing else of this row confers power.
    byte[] powers() {
        return RowSigner.bytes(id, name, sandbox);
    }
}
