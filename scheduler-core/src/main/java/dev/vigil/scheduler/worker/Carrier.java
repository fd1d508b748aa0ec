package dev.vigil.scheduler.worker;

import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.link.Relay;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One TLS connection of one worker, from the terminator to the ROUTER. Its loopback port is the name under which the
/// ROUTER sees it; who the worker is comes from its certificate and from nowhere else.
///
/// Safe for use by several threads.
final class Carrier {
    /// Bytes that one worker may have on the way to the ROUTER's thread. More and its relay waits: TCP then slows the
    /// worker down, and no worker fills the memory of the core.
    static final int PENDING_BYTES_MAX = 1 << 20;

    private final int port;
    private final UUID worker;
    private final X509Certificate certificate;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition taken = lock.newCondition();
    private int pending;
    private boolean ended;
    private volatile boolean active;
    private @Nullable Relay relay;

    Carrier(int port, UUID worker, X509Certificate certificate) {
        this.port = port;
        this.worker = worker;
        this.certificate = certificate;
    }

    int port() {
        return port;
    }

    UUID worker() {
        return worker;
    }

    byte[] certificateHash() {
        return Identity.fingerprint(certificate);
    }

    PublicKey key() {
        return certificate.getPublicKey();
    }

    Instant notAfter() {
        return certificate.getNotAfter().toInstant();
    }

    /// A sealed frame came over it: its worker speaks.
    void activate() {
        active = true;
    }

    boolean active() {
        return active;
    }

    /// Waits until the ROUTER's thread has taken in enough for another message.
    void reserve(int bytes) {
        lock.lock();
        try {
            while (!ended && pending > 0 && pending + bytes > PENDING_BYTES_MAX) {
                taken.awaitUninterruptibly();
            }
            pending += bytes;
        } finally {
            lock.unlock();
        }
    }

    void taken(int bytes) {
        lock.lock();
        try {
            pending -= bytes;
            taken.signal();
        } finally {
            lock.unlock();
        }
    }

    void carriedBy(Relay started) {
        lock.lock();
        try {
            relay = started;
            if (ended) {
                started.cut();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Ends the connection at once. Never waits.
    void cut() {
        @Nullable Relay running;
        lock.lock();
        try {
            ended = true;
            taken.signalAll();
            running = relay;
        } finally {
            lock.unlock();
        }
        if (running != null) {
            running.cut();
        }
    }

    @Override
    public String toString() {
        return "Carrier[" + port + " of worker " + worker + "]";
    }
}
