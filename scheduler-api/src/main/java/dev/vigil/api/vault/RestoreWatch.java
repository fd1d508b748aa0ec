package dev.vigil.api.vault;

import dev.vigil.api.vault.TombstoneFile.Tombstone;
import dev.vigil.api.web.ReadyCheck;
import dev.vigil.protocol.audit.EventType;
import dev.vigil.protocol.audit.Result;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/// Keeps the list of the erased that lies outside of the database, and sees when the database has forgotten one of
/// them: then an older copy of it was put back, and the erasure is done again before anything is served.
///
/// The first look is before the ports are opened; then it looks once a second, for a copy that was put back under a
/// running service and for erasures that other nodes began.
final class RestoreWatch implements SmartLifecycle, ReadyCheck {
    private static final Logger LOG = LoggerFactory.getLogger(RestoreWatch.class);
    /// Overlap of two looks: longer than any transaction may take to become visible.
    private static final Duration LOOK_BACK = Duration.ofSeconds(40);
    /// Of a long list only the newest are looked up each second: a copy that is older than any lacks the newest.
    private static final int LOOKED_UP_MAX = 8;

    private final VaultStore store;
    private final SubjectRequests requests;
    private final ErasureWork work;
    private volatile boolean replayed;
    private volatile @Nullable ScheduledExecutorService clock;
    private Instant looked = Instant.EPOCH;

    RestoreWatch(VaultStore store, SubjectRequests requests, ErasureWork work) {
        this.store = store;
        this.requests = requests;
        this.work = work;
    }

    @Override
    public boolean ready() {
        return replayed;
    }

    /// Before the web server, which starts in one of the last phases.
    @Override
    public int getPhase() {
        return 0;
    }

    @Override
    public void start() {
        compare();
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name("restore-watch").daemon().factory());
        var _ = started.scheduleWithFixedDelay(this::look, 1, 1, TimeUnit.SECONDS);
        clock = started;
    }

    private void look() {
        try {
            compare();
        } catch (RuntimeException e) {
            LOG.warn("event=restore_watch_failed reason=\"{}\"; it looks again in a second", e.getMessage());
        }
    }

    private synchronized void compare() {
        List<Tombstone> listed = work.means().tombstones().all();
        List<Tombstone> newest =
                replayed ? listed.reversed().stream().limit(LOOKED_UP_MAX).toList() : listed;
        if (!newest.stream().allMatch(work.erasures()::knows)) {
            replayed = false;
            replay(listed.stream()
                    .filter(tombstone -> !work.erasures().knows(tombstone))
                    .toList());
            looked = Instant.EPOCH;
        }
        learn();
        replayed = true;
    }

    /// Erases again what an older copy of the database brought back. His keys are destroyed and his tasks are told to
    /// go when this returns; the owners of their shards remove them.
    private void replay(List<Tombstone> forgotten) {
        LOG.warn(
                "event=restored_database erasures={} the database is older than the list of the erased; they are"
                        + " erased again before anything is served",
                forgotten.size());
        for (Tombstone tombstone : forgotten) {
            store.transactions().executeWithoutResult(_ -> {
                if (work.erasures().beginAgain(tombstone)) {
                    store.events()
                            .append(store.events()
                                    .event(EventType.USER_DATA_DELETED, "replay_erasure", Result.SUCCESS)
                                    .namespace(tombstone.person().namespace())
                                    .subject(HexFormat.of()
                                            .formatHex(tombstone.person().subjectIndex()))
                                    .with("request", new Id(Kind.SUBJECT_REQUEST, tombstone.request()).toString()));
                }
            });
            work.carryOut(tombstone, null);
            work.erasures().end(tombstone.request());
        }
    }

    /// Takes over what the database knows and the list does not: another node began it, or the list was lost. A row
    /// counts only when the request behind it was approved and its seal holds.
    private void learn() {
        Instant now = store.time().instant();
        List<Tombstone> news = work.erasures().since(looked.minus(LOOK_BACK)).stream()
                .filter(tombstone -> requests.find(tombstone.request())
                        .filter(request -> request.kind() == SubjectRequest.Kind.ERASURE)
                        .filter(request -> request.approvedBy() != null)
                        .isPresent())
                .toList();
        work.means().tombstones().add(news);
        looked = now;
    }

    @Override
    public void stop() {
        ScheduledExecutorService running = clock;
        if (running != null) {
            running.shutdownNow();
        }
        clock = null;
    }

    @Override
    public boolean isRunning() {
        return clock != null;
    }
}
