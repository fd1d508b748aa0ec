package dev.vigil.scheduler;

import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.scheduler.worker.LockReport;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks the API to lock a worker whose identity two processes use: `POST /internal/v1/workers:lock`.
final class CloneReport implements LockReport {
    private static final Logger LOG = LoggerFactory.getLogger(CloneReport.class);
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final int TRIES = 5;

    private final URI api;
    private final IdentityKeeper identity;

    CloneReport(URI api, IdentityKeeper identity) {
        this.api = api;
        this.identity = identity;
    }

    @Override
    public void cloned(UUID worker, UUID olderBoot, UUID newerBoot) {
        Thread.ofVirtual().name("clone-report").start(() -> report(worker, olderBoot, newerBoot));
    }

    private void report(UUID worker, UUID olderBoot, UUID newerBoot) {
        String body = """
                {"worker":"%s","reason":"clone","detail":"boots %s and %s were both heard"}""".formatted(new Id(Kind.WORKER, worker), olderBoot, newerBoot);
        for (int tries = 1; tries <= TRIES; tries++) {
            try (HttpClient client = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .sslContext(identity.clientTls(Peers.service("api")))
                    .connectTimeout(PATIENCE)
                    .build()) {
                var request = HttpRequest.newBuilder(api.resolve("/internal/v1/workers:lock"))
                        .timeout(PATIENCE)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build();
                int status = client.send(request, HttpResponse.BodyHandlers.discarding())
                        .statusCode();
                if (status < 300) {
                    LOG.warn("event=worker_cloned worker={} older_boot={} newer_boot={}", worker, olderBoot, newerBoot);
                    return;
                }
                LOG.warn("event=clone_report_refused worker={} status={} try={}", worker, status, tries);
            } catch (IOException e) {
                LOG.warn("event=clone_report_lost worker={} try={} reason={}", worker, tries, e.toString());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        LOG.error("event=clone_not_locked worker={}; block it by hand: POST /api/v1/workers/…:block", worker);
    }
}
