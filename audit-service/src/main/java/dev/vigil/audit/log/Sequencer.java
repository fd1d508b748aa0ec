package dev.vigil.audit.log;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import org.springframework.transaction.TransactionException;

/// Keeps the log growing: one thread that takes events from the outboxes into the tree. Of several, one leads; it holds
/// an advisory lock on the very connection that it writes with, so with the lock goes the ability to write.
public final class Sequencer implements AutoCloseable {
    // "vigil" and "audit" in hexadecimal, shortened: the name of the lock among all advisory locks of the database.
    private static final long LOCK = 0x7669_6761_7564_6974L;
    private static final Logger LOG = LoggerFactory.getLogger(Sequencer.class);

    private final DataSource connections;
    private final SequencerSettings settings;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Thread thread;
    private volatile State state = State.STARTING;

    /// What it is doing.
    public enum State {
        STARTING,
        LEADING,
        /// Another sequencer leads; this one waits for its place.
        STANDING_BY,
        /// The database is out of reach, or the log contradicts its signatures. It keeps trying.
        FAILING
    }

    /// A sequencer that is not started.
    ///
    /// @param connections gives new connections of the audit role, not pooled ones: it keeps its own
    public Sequencer(DataSource connections, SequencerSettings settings) {
        this.connections = connections;
        this.settings = settings;
        this.thread = Thread.ofPlatform().name("audit-sequencer").daemon().unstarted(this::run);
    }

    /// Starts the thread.
    public void start() {
        thread.start();
    }

    /// What it is doing now.
    public State state() {
        return state;
    }

    /// Ends it after the step it is in.
    @Override
    public void close() {
        stopped.countDown();
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (running()) {
            try (Connection connection = connections.getConnection()) {
                lead(new SingleConnectionDataSource(connection, true));
            } catch (DuplicateKeyException e) {
                LOG.warn("event=sequencer_outrun; another sequencer went on from the same checkpoint, reading it anew");
            } catch (SQLException | DataAccessException | TransactionException e) {
                failing(e);
            } catch (RuntimeException e) {
                LOG.error("event=sequencer_failed; events wait in their outboxes until it works again", e);
                state = State.FAILING;
                pause(settings.pace().spare());
            }
        }
    }

    private void failing(Exception e) {
        if (running()) {
            LOG.warn("event=sequencer_interrupted; events wait in their outboxes, next try soon", e);
            state = State.FAILING;
            pause(settings.pace().busy());
        }
    }

    private void lead(SingleConnectionDataSource connection) {
        var db = JdbcClient.create(connection);
        while (running() && !locked(db)) {
            state = State.STANDING_BY;
            pause(settings.pace().idle());
        }
        var writer = new LogWriter(connection, settings);
        var rhythm = new Rhythm(settings.pace(), System::nanoTime);
        long housekeeping = System.nanoTime();
        if (running()) {
            writer.announceNewKey();
            LOG.info("event=sequencer_leads sources={}", settings.sources());
        }
        while (running()) {
            if (rhythm.isRipe(writer.gather())) {
                writer.step();
            }
            state = State.LEADING;
            if (System.nanoTime() - housekeeping > settings.pace().spare().toNanos()) {
                housekeeping = System.nanoTime();
                writer.prune();
            }
            pause(rhythm.pause());
        }
    }

    private static boolean locked(JdbcClient db) {
        return db.sql("SELECT pg_try_advisory_lock(:lock)")
                .param("lock", LOCK)
                .query(Boolean.class)
                .single();
    }

    private boolean running() {
        return stopped.getCount() > 0;
    }

    private void pause(Duration pause) {
        try {
            stopped.await(pause.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            stopped.countDown();
        }
    }
}
