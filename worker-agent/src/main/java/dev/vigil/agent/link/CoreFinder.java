package dev.vigil.agent.link;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks the API again and again which cores live. While the API is away the last answer stands.
final class CoreFinder {
    private static final Logger LOG = LoggerFactory.getLogger(CoreFinder.class);

    private final WorkerApi api;
    private final Keys keys;
    private final CountDownLatch ended;
    private final Consumer<List<CoreAddress>> found;

    CoreFinder(WorkerApi api, Keys keys, CountDownLatch ended, Consumer<List<CoreAddress>> found) {
        this.api = api;
        this.keys = keys;
        this.ended = ended;
        this.found = found;
    }

    /// Asks until the link has ended.
    void ask(Duration every) {
        try {
            do {
                once();
            } while (!ended.await(every.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void once() throws InterruptedException {
        try {
            found.accept(api.cores());
        } catch (IOException | RuntimeException e) {
            LOG.warn("event=cores_unknown kept=true reason=\"{}\"", e.getMessage());
            if (e instanceof WorkerApi.CallRefusedException refused && !refused.temporary()) {
                keys.kept().forget();
            }
        }
    }
}
