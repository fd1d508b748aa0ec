package dev.vigil.api.access;

import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

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

    /// For the mapper.
    protected Namespace() {}

    Namespace(String name) {
        this.name = name;
    }
}
