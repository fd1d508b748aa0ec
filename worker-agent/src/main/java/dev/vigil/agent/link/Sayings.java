package dev.vigil.agent.link;

import dev.vigil.agent.handler.RunListener;
import dev.vigil.protocol.link.Inbox;
import dev.vigil.protocol.link.LogRecord;
import dev.vigil.protocol.link.ProgressRecord;
import dev.vigil.protocol.payload.LogLine;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/// The executions that have something to say, in the order they began to. Belongs to the link's thread, but for
/// the feeds.
final class Sayings {
    private final InstantSource clock;
    private final Inbox inbox;
    private final AtomicLong waiting = new AtomicLong();
    private final Set<Holding> noisy = new LinkedHashSet<>();

    Sayings(InstantSource clock, Inbox inbox) {
        this.clock = clock;
        this.inbox = inbox;
    }

    /// Where an attempt says what it says.
    LogFeed feed(Holding holding, Prepared prepared) {
        return new LogFeed(prepared, waiting, () -> inbox.add(() -> noisy.add(holding)));
    }

    /// What a runner tells of an attempt.
    ///
    /// @param started run when its process has the execution
    RunListener listener(LogFeed feed, Runnable started) {
        return new RunListener() {
            @Override
            public void started(UUID execution) {
                started.run();
            }

            @Override
            public void progress(UUID execution, double fraction, String message) {
                feed.progress(fraction, message);
            }

            @Override
            public void log(UUID execution, LogStream stream, byte[] line) {
                LogLine.Source source = switch (stream) {
                    case STDOUT -> LogLine.Source.STDOUT;
                    case STDERR -> LogLine.Source.STDERR;
                    case AGENT -> LogLine.Source.AGENT;
                };
                feed.log(new LogLine(source, clock.millis(), line));
            }
        };
    }

    /// The attempt is over.
    void end(LogFeed feed) {
        feed.end(clock.millis());
    }

    /// What this core is to be told now.
    ///
    /// @param room bytes; the last record may go beyond it
    Due due(UUID core, int room) {
        var logs = new ArrayList<LogRecord>();
        var progress = new ArrayList<ProgressRecord>();
        int left = room;
        for (Holding holding : List.copyOf(noisy)) {
            LogFeed feed = holding.feed().orElse(null);
            if (feed == null || feed.isEmpty()) {
                noisy.remove(holding);
                continue;
            }
            if (left <= 0 || !holding.core().equals(core)) {
                continue;
            }
            ProgressRecord far = feed.takeProgress().orElse(null);
            if (far != null) {
                progress.add(far);
            }
            LogRecord log = feed.takeLog().orElse(null);
            while (log != null) {
                logs.add(log);
                left -= log.sealed().length;
                log = left > 0 ? feed.takeLog().orElse(null) : null;
            }
        }
        return new Due(progress, logs);
    }

    record Due(List<ProgressRecord> progress, List<LogRecord> logs) {}
}
