package dev.vigil.api.web;

/// Something that must be so before `/readyz` says 200. Must not block.
@FunctionalInterface
public interface ReadyCheck {
    boolean ready();
}
